package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    // History

    private static void attempts(int count, String backend, String outcome, String endedAt) throws SQLException {
        DB.execute("with job as (insert into imagen.jobs (owner_user_id, prompt, status) select gen_random_uuid(), 'a',"
                + " 'done' from generate_series(1, " + count + ") returning id)"
                + " insert into imagen.job_attempts (job_id, attempt, backend, outcome, ended_at) select id, 1, '"
                + backend + "', '" + outcome + "', " + endedAt + " from job");
    }

    private static void sample(String backend, int pending, Double oldestSeconds, String takenAt) throws SQLException {
        DB.execute("insert into imagen.queue_samples (taken_at, backend, pending, running, oldest_seconds) values ("
                + takenAt + ", '" + backend + "', " + pending + ", 2, " + oldestSeconds + ")");
    }

    /** In the middle of the minute before this one: not at its edge, and over. */
    private static final String MINUTE = "date_trunc('minute', now())";
    private static final String LAST_MINUTE = MINUTE + " - interval '30 seconds'";

    @Test
    void the_history_counts_what_ended_by_its_outcome_and_backend() throws SQLException {
        attempts(3, "mock", "done", LAST_MINUTE);
        attempts(2, "flux", "done", LAST_MINUTE);
        attempts(2, "flux", "failed", LAST_MINUTE);
        attempts(1, "flux", "cancelled", LAST_MINUTE);
        attempts(4, "flux", "rescued", LAST_MINUTE);
        attempts(5, "flux", "handed_back", LAST_MINUTE);
        attempts(7, "flux", "done", MINUTE + " - interval '70 minutes'");
        assertThat(sums(get("/queue/history"))).isEqualTo("5 2 1 4");
        assertThat(sums(get("/queue/history?backend=mock"))).isEqualTo("3 0 0 0");
        assertThat(sums(get("/queue/history?minutes=120"))).isEqualTo("12 2 1 4");
    }

    private static String sums(JsonNode history) {
        return Stream.of("done", "failed", "cancelled", "rescued")
                .map(name -> history.path("buckets").findValues(name).stream().mapToInt(JsonNode::asInt).sum())
                .map(String::valueOf).collect(Collectors.joining(" "));
    }

    @Test
    void the_depth_of_a_bucket_is_the_most_in_any_of_its_samples_over_all_backends() throws SQLException {
        sample("mock", 5, 3.5, LAST_MINUTE);
        sample("", 2, 9.0, LAST_MINUTE);
        sample("mock", 1, null, MINUTE + " - interval '10 seconds'");
        var sampled = sampled(get("/queue/history"));
        assertThat(sampled).singleElement().satisfies(bucket -> {
            assertThat(bucket.path("pending").asInt()).isEqualTo(7);
            assertThat(bucket.path("running").asInt()).isEqualTo(4);
            assertThat(bucket.path("oldest_seconds").asDouble()).isEqualTo(9.0);
        });
        assertThat(sampled(get("/queue/history?backend=mock"))).singleElement()
                .satisfies(bucket -> assertThat(bucket.path("pending").asInt()).isEqualTo(5));
        // It had nothing then, which is not the same as no sample.
        assertThat(sampled(get("/queue/history?backend=flux"))).singleElement()
                .satisfies(bucket -> assertThat(bucket.path("pending").asInt()).isZero());
    }

    private static List<JsonNode> sampled(JsonNode history) {
        return StreamSupport.stream(history.path("buckets").spliterator(), false)
                .filter(bucket -> !bucket.path("pending").isNull()).toList();
    }

    @ParameterizedTest
    @CsvSource({"1, 60, 1", "60, 60, 60", "120, 60, 120", "121, 120, 61", "1440, 720, 120"})
    void buckets_are_whole_minutes_at_most_120_and_without_a_gap(int minutes, int seconds, int buckets) {
        var history = get("/queue/history?minutes=" + minutes);
        assertThat(history.path("bucket_seconds").asInt()).isEqualTo(seconds);
        var times = history.path("buckets").findValuesAsText("at").stream().map(Instant::parse).toList();
        assertThat(times).hasSize(buckets);
        assertThat(Duration.between(times.getFirst(), times.getLast())).hasSeconds((long) seconds * (buckets - 1));
        assertThat(times.getLast()).isBeforeOrEqualTo(Instant.now());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1441", "-1", "1.5", "x", "99999999999"})
    void minutes_that_are_too_many_or_no_number_are_refused(String minutes) {
        var answer = client.get("/queue/history?minutes=" + minutes);
        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.detail()).isEqualTo("minutes must be a whole number from 1 to 1440");
    }

    // Failures

    private static UUID failure(String backend, String outcome, String error, String ago) throws SQLException {
        var job = DB.insertJob(UUID.randomUUID());
        DB.rows("insert into imagen.job_attempts (job_id, attempt, backend, outcome, error, ended_at)"
                + " values (?, 1, ?, ?, ?, now() - ?::interval) returning job_id", job, backend, outcome, error, ago);
        return job;
    }

    private static List<String> reasons(String path) {
        return get(path).path("failures").findValuesAsText("reason");
    }

    @Test
    void errors_that_differ_in_ids_numbers_and_the_attempt_are_one_reason() throws SQLException {
        var id = UUID.randomUUID();
        failure("flux", "failed", "prompt " + id + " got 503 after 12.5 s (attempt 1 of 3)", "2 minutes");
        var last = failure("flux", "failed",
                "prompt " + UUID.randomUUID().toString().toUpperCase() + " got 503 after 7.0 s (attempt 2 of 25)",
                "1 minute");
        failure("flux", "failed", "prompt " + id + " got 429 after 7.0 s (attempt 2 of 3)", "1 minute");
        var failures = get("/queue/failures").path("failures");
        assertThat(failures.findValuesAsText("reason")).containsExactly("prompt <id> got 503 after <n>.<n> s",
                "prompt <id> got 429 after <n>.<n> s");
        var first = failures.path(0);
        assertThat(first.path("count").asInt()).isEqualTo(2);
        assertThat(first.path("job_id").asText()).isEqualTo(last.toString());
        assertThat(Instant.parse(first.path("last_at").asText())).isBetween(Instant.now().minusSeconds(120),
                Instant.now().minusSeconds(50));
    }

    @Test
    void the_same_reason_of_two_backends_is_two_and_rescues_count() throws SQLException {
        failure("flux", "rescued", "the worker stopped during attempt 1 (attempt 1 of 3)", "1 minute");
        failure("mock", "rescued", "the worker stopped during attempt 7 (attempt 2 of 3)", "1 minute");
        failure("mock", "done", null, "1 minute");
        failure("mock", "handed_back", "the claim got no answer", "1 minute");
        assertThat(get("/queue/failures").path("failures").findValuesAsText("backend"))
                .containsExactlyInAnyOrder("flux", "mock");
        assertThat(reasons("/queue/failures")).containsOnly("the worker stopped during attempt <n>");
    }

    @Test
    void failures_are_those_of_the_last_minutes_and_the_twenty_most_frequent() throws SQLException {
        for (char letter = 'a'; letter <= 'u'; letter++) {
            failure("mock", "failed", "bad " + letter, "5 minutes");
        }
        failure("mock", "failed", "bad u", "5 minutes");
        failure("mock", "failed", "long ago", "61 minutes");
        assertThat(reasons("/queue/failures")).hasSize(20).startsWith("bad u").doesNotContain("long ago");
        assertThat(reasons("/queue/failures?minutes=4")).isEmpty();
        assertThat(client.get("/queue/failures?minutes=0").status()).isEqualTo(422);
    }

    @Test
    void an_error_without_words_is_a_reason_too() throws SQLException {
        failure("mock", "failed", null, "1 minute");
        assertThat(reasons("/queue/failures")).containsExactly("");
    }
}
