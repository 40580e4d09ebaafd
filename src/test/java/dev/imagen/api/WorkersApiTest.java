package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code GET /workers} over HTTP; {@link AccessMatrixTest} tells who may ask. */
@Timeout(60)
class WorkersApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private TestService service;

    @BeforeEach
    void start() throws SQLException {
        DB.clear();
        service = TestService.on(DB).withoutWorker().start();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private static UUID worker(String name, String started, String heartbeat) throws SQLException {
        return (UUID) DB.row("insert into imagen.workers (id, name, backends, started_at, heartbeat_at) values"
                + " (gen_random_uuid(), ?, '{mock,flux}', now() - ?::interval, now() - ?::interval) returning id", name,
                started, heartbeat).get("id");
    }

    private static UUID running(UUID worker, UUID owner, String since) throws SQLException {
        return (UUID) DB.row(
                "insert into imagen.jobs (owner_user_id, prompt, status, attempt, backend, worker_id, started_at)"
                        + " values (?, 'a secret', 'running', 2, 'mock', ?, now() - ?::interval) returning id",
                owner, worker, since).get("id");
    }

    private JsonNode workers() {
        var answer = service.client().get("/workers");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().toString()).doesNotContain("a secret");
        return answer.json().path("workers");
    }

    @Test
    void those_alive_come_first_and_of_these_the_newest() throws SQLException {
        worker("old", "2 hours", "1 second");
        worker("dead", "1 minute", "16 seconds");
        worker("new", "1 hour", "14 seconds");
        assertThat(workers().findValuesAsText("name")).containsExactly("new", "old", "dead");
        assertThat(workers().findValuesAsText("alive")).containsExactly("true", "true", "false");
    }

    @Test
    void a_worker_tells_what_it_offers_and_runs_of_every_owner_and_how_far_that_is() throws SQLException {
        var id = worker("one", "1 hour", "1 second");
        var owner = UUID.randomUUID();
        var second = running(id, UUID.randomUUID(), "1 minute");
        var first = running(id, owner, "2 minutes");
        DB.execute("insert into imagen.job_progress (job_id, step, steps) values ('" + first + "', 4, 20)",
                "insert into imagen.job_progress (job_id, step, steps, updated_at) values ('" + second
                        + "', 19, 20, now() - interval '61 seconds')");
        var worker = workers().path(0);
        assertThat(worker.path("id").asText()).isEqualTo(id.toString());
        assertThat(worker.path("backends").toString()).isEqualTo("[\"mock\",\"flux\"]");
        assertThat(worker.path("running").findValuesAsText("job_id")).containsExactly(first.toString(),
                second.toString());
        var job = worker.path("running").path(0);
        assertThat(job.path("owner_user_id").asText()).isEqualTo(owner.toString());
        assertThat(job.path("attempt").asInt()).isEqualTo(2);
        assertThat(job.path("step").asInt()).isEqualTo(4);
        assertThat(job.path("steps").asInt()).isEqualTo(20);
        // Of an attempt before this one.
        assertThat(worker.path("running").path(1).path("step").isNull()).isTrue();
    }

    @Test
    void a_worker_that_runs_nothing_has_an_empty_list_and_without_workers_there_is_none() throws SQLException {
        assertThat(workers()).isEmpty();
        worker("idle", "1 hour", "1 second");
        assertThat(workers().path(0).path("running").isArray()).isTrue();
        assertThat(workers().path(0).path("running")).isEmpty();
    }
}
