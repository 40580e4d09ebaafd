package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.imagen.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** What the triggers on jobs tell, and when the version rises. */
@Tag("postgres")
class NotificationsSqlTest {

    private static final String WAKE = "imagen_jobs";
    private static final String EVENTS = "imagen_job_events";
    private static final String CANCELS = "imagen_job_cancels";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private Connection connection;

    record Notice(String channel, String payload) {}

    @BeforeEach
    void listen() throws SQLException {
        DB.clear();
        connection = DB.superuser();
        for (var channel : List.of(WAKE, EVENTS, CANCELS)) {
            connection.createStatement().execute("listen " + channel);
        }
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    /**
     * What one statement told. A session hears its own notifications before it is ready again: nothing to wait for, as
     * long as all changes are made on this connection.
     */
    private List<Notice> told(String sql) throws SQLException {
        connection.unwrap(PGConnection.class).getNotifications();
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
            return Arrays.stream(connection.unwrap(PGConnection.class).getNotifications())
                    .map(notice -> new Notice(notice.getName(), notice.getParameter())).toList();
        }
    }

    private static List<String> payloads(List<Notice> told, String channel) {
        return told.stream().filter(notice -> notice.channel().equals(channel)).map(Notice::payload).toList();
    }

    private static List<UUID> ids(List<String> payloads) {
        assertThat(payloads)
                .allSatisfy(payload -> assertThat(payload.getBytes(StandardCharsets.UTF_8).length).isLessThan(8000));
        return payloads.stream().flatMap(payload -> Arrays.stream(payload.split(","))).map(UUID::fromString).toList();
    }

    private UUID job(String status) throws SQLException {
        var id = UUID.randomUUID();
        told("insert into imagen.jobs (id, owner_user_id, prompt, status) values ('" + id
                + "', gen_random_uuid(), 'x', '" + status + "')");
        return id;
    }

    private List<UUID> allJobs() throws SQLException {
        return DB.rows("select id from imagen.jobs").stream().map(row -> (UUID) row.get("id")).toList();
    }

    private static String insert(int rows, String status) {
        return "insert into imagen.jobs (owner_user_id, prompt, status) select gen_random_uuid(), 'x', '" + status
                + "' from generate_series(1, " + rows + ")";
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 200, 201, 500})
    void an_insert_wakes_the_workers_once_and_names_each_row_once(int rows) throws SQLException {
        var told = told(insert(rows, "pending"));
        assertThat(payloads(told, WAKE)).containsExactly("");
        assertThat(ids(payloads(told, EVENTS))).hasSize(rows).containsExactlyInAnyOrderElementsOf(allJobs());
        assertThat(payloads(told, CANCELS)).isEmpty();
    }

    @Test
    void an_insert_of_nothing_tells_nothing() throws SQLException {
        assertThat(told(insert(0, "pending"))).isEmpty();
    }

    @Test
    void rows_that_are_not_pending_wake_nobody() throws SQLException {
        assertThat(payloads(told(insert(2, "done")), WAKE)).isEmpty();
    }

    @Test
    void many_statements_of_one_transaction_wake_the_workers_once() throws SQLException {
        connection.setAutoCommit(false);
        told(insert(1, "pending"));
        told(insert(1, "pending"));
        var told = told("commit");
        assertThat(payloads(told, WAKE)).hasSize(1);
        assertThat(ids(payloads(told, EVENTS))).hasSize(2);
    }

    @Test
    void a_transaction_that_is_rolled_back_tells_nothing() throws SQLException {
        connection.setAutoCommit(false);
        told(insert(1, "pending"));
        assertThat(told("rollback")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 500})
    void an_update_of_what_a_watcher_sees_names_each_row_once_and_wakes_nobody(int rows) throws SQLException {
        told(insert(rows, "pending"));
        var told = told("update imagen.jobs set status = 'running', attempt = attempt + 1");
        assertThat(ids(payloads(told, EVENTS))).hasSize(rows).containsExactlyInAnyOrderElementsOf(allJobs());
        assertThat(told).hasSameSizeAs(payloads(told, EVENTS));
    }

    @Test
    void an_update_names_only_the_rows_that_it_changed() throws SQLException {
        var pending = job("pending");
        job("done");
        assertThat(told("update imagen.jobs set status = 'done'"))
                .containsExactly(new Notice(EVENTS, pending.toString()));
    }

    @Test
    void an_update_that_changes_nothing_that_a_watcher_sees_tells_nothing() throws SQLException {
        job("pending");
        assertThat(told("update imagen.jobs set status = status, priority = -1, failures = 2, run_at = now()"))
                .isEmpty();
        assertThat(told("update imagen.jobs set error = 'x' where false")).isEmpty();
    }

    @Test
    void a_job_that_becomes_pending_again_wakes_the_workers() throws SQLException {
        for (var status : List.of("failed", "cancelled")) {
            var job = job(status);
            assertThat(told("select imagen.retry_job('" + job + "')")).containsExactlyInAnyOrder(new Notice(WAKE, ""),
                    new Notice(EVENTS, job.toString()));
        }
        var running = job("running");
        assertThat(told("update imagen.jobs set status = 'pending' where status = 'running'"))
                .containsExactlyInAnyOrder(new Notice(WAKE, ""), new Notice(EVENTS, running.toString()));
    }

    @Test
    void a_cancel_of_a_running_job_names_it_to_the_workers_once() throws SQLException {
        var job = job("running");
        var cancel = "select imagen.cancel_job('" + job + "')";
        assertThat(told(cancel)).containsExactlyInAnyOrder(new Notice(EVENTS, job.toString()),
                new Notice(CANCELS, job.toString()));
        assertThat(told(cancel)).isEmpty();
    }

    @Test
    void a_cancel_of_a_pending_job_is_no_workers_business() throws SQLException {
        var job = job("pending");
        assertThat(told("select imagen.cancel_job('" + job + "')")).containsExactly(new Notice(EVENTS, job.toString()));
    }

    @Test
    void a_cancel_of_500_running_jobs_names_each_once() throws SQLException {
        told(insert(500, "running"));
        var told = told("update imagen.jobs set cancel_requested_at = now()");
        assertThat(ids(payloads(told, CANCELS))).hasSize(500).containsExactlyInAnyOrderElementsOf(allJobs());
    }

    static Stream<Arguments> visibleChanges() {
        return Stream.of(arguments("status", "'running'"), arguments("attempt", "attempt + 1"),
                arguments("error", "'broken'"), arguments("cancel_requested_at", "now()"));
    }

    @ParameterizedTest
    @MethodSource("visibleChanges")
    void the_version_rises_by_one_with_what_a_watcher_sees(String column, String value) throws SQLException {
        var job = job("pending");
        var set = "update imagen.jobs set " + column + " = " + value;
        assertThat(told("update imagen.jobs set updated_at = '2000-01-01'")).isEmpty();
        assertThat(payloads(told(set), EVENTS)).containsExactly(job.toString());
        assertThat(DB.job(job)).containsEntry("version", 1L);
        assertThat(DB.row("select updated_at > '2000-01-01' as touched from imagen.jobs")).containsEntry("touched",
                true);
        assertThat(told("update imagen.jobs set " + column + " = " + column)).isEmpty();
        assertThat(DB.job(job)).containsEntry("version", 1L);
    }

    static Stream<Arguments> invisibleChanges() {
        return Stream.of(arguments("owner_user_id", "gen_random_uuid()"), arguments("prompt", "'another'"),
                arguments("negative_prompt", "'n'"), arguments("backend", "'b'"), arguments("model", "'m'"),
                arguments("style", "'s'"), arguments("width", "99"), arguments("height", "99"), arguments("steps", "9"),
                arguments("seed", "9"), arguments("priority", "9"), arguments("run_at", "now() + interval '1 day'"),
                arguments("max_attempts", "9"), arguments("idempotency_key", "'k'"), arguments("request_hash", "'h'"),
                arguments("failures", "9"), arguments("worker_id", "gen_random_uuid()"), arguments("image_id", "null"),
                arguments("params", "'{\"a\": 1}'"), arguments("count", "2"),
                arguments("input_image_id", "gen_random_uuid()"), arguments("strength", "null"),
                arguments("traceparent", "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"),
                arguments("images", "array[gen_random_uuid()]"), arguments("started_at", "now()"),
                arguments("completed_at", "now()"), arguments("created_at", "now() - interval '1 day'"));
    }

    @ParameterizedTest
    @MethodSource("invisibleChanges")
    void the_version_stays_with_what_no_watcher_sees(String column, String value) throws SQLException {
        var job = job("pending");
        assertThat(told("update imagen.jobs set " + column + " = " + value)).isEmpty();
        assertThat(DB.job(job)).containsEntry("version", 0L);
    }

    @Test
    void every_column_is_tried_above() throws SQLException {
        var tried = Stream.concat(visibleChanges(), invisibleChanges()).map(change -> (String) change.get()[0]);
        assertThat(Stream.concat(tried, Stream.of("id", "version", "updated_at")))
                .containsExactlyInAnyOrderElementsOf(DB
                        .rows("select column_name::text as name from information_schema.columns "
                                + "where table_schema = 'imagen' and table_name = 'jobs'")
                        .stream().map(row -> (String) row.get("name")).toList());
    }
}
