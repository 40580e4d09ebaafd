package dev.imagen.queue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;

/** What a claim reads: pages, which unlike milliseconds are the same on every machine. */
final class ClaimCost {

    private ClaimCost() {}

    /** Pages of tables and indexes that one claim of one job touches; the claim is rolled back. */
    static long pages(TestDatabase database, PostgresJobQueue queue, WorkerIdentity worker, List<Offer> offers)
            throws SQLException {
        var claim = queue.claimStatement(worker, offers, 1);
        try (var connection = database.superuser();
                var settings = connection.createStatement();
                var statement = connection
                        .prepareStatement("explain (analyze, buffers, timing off, format json) " + claim.sql())) {
            connection.setAutoCommit(false);
            settings.execute("set enable_seqscan = off");
            for (int i = 0; i < claim.parameters().length; i++) {
                statement.setObject(i + 1, claim.parameters()[i]);
            }
            try (var plan = statement.executeQuery()) {
                plan.next();
                return pages(plan.getString(1));
            } finally {
                connection.rollback();
            }
        }
    }

    private static long pages(String json) {
        try {
            JsonNode plan = new ObjectMapper().readTree(json).path(0).path("Plan");
            return plan.path("Shared Hit Blocks").asLong() + plan.path("Shared Read Blocks").asLong();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
