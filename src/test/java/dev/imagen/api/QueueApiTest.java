package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code /queue} over HTTP; {@link AccessMatrixTest} tells who may ask. */
@Timeout(60)
class QueueApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static TestService service;
    private static TestClient client;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).withoutWorker().start();
        client = service.client();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @BeforeEach
    void clear() throws SQLException {
        DB.clear();
    }

    private static void jobs(int count, String backend, String status, String runAt) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend, status, run_at, created_at) select"
                + " gen_random_uuid(), 'a test', " + backend + ", '" + status + "', " + runAt
                + ", now() - interval '1 day' from generate_series(1, " + count + ")");
    }

    private static JsonNode get(String path) {
        var answer = client.get(path);
        assertThat(answer.status()).isEqualTo(200);
        return answer.json();
    }

    private static JsonNode of(JsonNode list, String backend) {
        for (JsonNode node : list) {
            if (node.path("backend").asText("-").equals(backend)) {
                return node;
            }
        }
        throw new AssertionError(backend + " is not in " + list);
    }

    // Now

    @Test
    void each_backend_tells_what_is_due_what_is_for_later_and_what_runs() throws SQLException {
        jobs(3, "'flux'", "pending", "now() - interval '90 seconds'");
        jobs(2, "'flux'", "pending", "now() + interval '1 day'");
        jobs(4, "'flux'", "running", "now()");
        jobs(5, "'flux'", "done", "now()");
        jobs(1, "null", "pending", "now() - interval '10 seconds'");
        DB.execute("insert into imagen.workers (id, name, backends) values (gen_random_uuid(), 'w', '{mock}')");
        var queue = get("/queue");
        assertThat(queue.path("backends").findValuesAsText("backend")).containsExactly("null", "flux", "mock");
        var flux = of(queue.path("backends"), "flux");
        assertThat(flux.path("pending").asInt()).isEqualTo(3);
        assertThat(flux.path("scheduled").asInt()).isEqualTo(2);
        assertThat(flux.path("running").asInt()).isEqualTo(4);
        assertThat(flux.path("oldest_seconds").asDouble()).isBetween(90.0, 600.0);
        assertThat(of(queue.path("backends"), "mock").path("oldest_seconds").isNull()).isTrue();
        var total = queue.path("total");
        assertThat(total.path("pending").asInt()).isEqualTo(4);
        assertThat(total.path("running").asInt()).isEqualTo(4);
        assertThat(total.path("oldest_seconds")).isEqualTo(flux.path("oldest_seconds"));
    }

    @Test
    void an_empty_queue_is_all_zeros() {
        var queue = get("/queue");
        assertThat(queue.path("backends")).isEmpty();
        assertThat(queue.path("total").toString())
                .isEqualTo("{\"pending\":0,\"scheduled\":0,\"running\":0,\"oldest_seconds\":null,\"paused\":false}");
    }

    @Test
    void what_is_paused_says_so_and_jobs_that_name_none_are_paused_with_the_default() throws SQLException {
        jobs(1, "null", "pending", "now()");
        jobs(1, "'flux'", "pending", "now()");
        DB.execute("select imagen.pause('mock')");
        var queue = get("/queue");
        assertThat(queue.path("backends").findValuesAsText("paused")).containsExactly("true", "false", "true");
        assertThat(queue.path("total").path("paused").asBoolean()).isFalse();
        DB.execute("select imagen.pause()");
        queue = get("/queue");
        assertThat(queue.path("backends").findValuesAsText("paused")).containsExactly("true", "true", "true");
        assertThat(queue.path("total").path("paused").asBoolean()).isTrue();
    }

    @Test
    void the_depth_reads_no_finished_job() throws SQLException {
        jobs(10, "'flux'", "pending", "now()");
        jobs(20_000, "'flux'", "done", "now()");
        DB.execute("vacuum analyze imagen.jobs");
        try (var connection = DB.superuser(); var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select * from imagen.queue_depths()");
            var read = TestDatabase.rows(statement.executeQuery("select seq_tup_read, idx_tup_fetch"
                    + " from pg_stat_xact_user_tables where relid = 'imagen.jobs'::regclass")).getFirst();
            assertThat(read).containsEntry("seq_tup_read", 0L).containsEntry("idx_tup_fetch", 10L);
        }
    }
}
