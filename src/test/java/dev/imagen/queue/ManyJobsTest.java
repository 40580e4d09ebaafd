package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.database.Caller;
import dev.imagen.queue.ManyJobs.Cancelled;
import dev.imagen.queue.ManyJobs.Filter;
import dev.imagen.queue.ManyJobs.Retried;
import dev.imagen.testing.TestDatabase;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** imagen.cancel_jobs, imagen.retry_jobs, and what calls them until nothing is left. */
@Tag("postgres")
@Timeout(60)
class ManyJobsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Caller OPERATOR = Caller.service();
    private static final Filter ALL = new Filter(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
            Optional.empty());
    private static final Instant NOON = Instant.parse("2026-01-31T12:00:00Z");

    private final ManyJobs many = new ManyJobs(DB.database());
    private final UUID alice = UUID.randomUUID();
    private final UUID bob = UUID.randomUUID();

    @BeforeEach
    void clear() throws SQLException {
        DB.clear();
    }

    private static void insert(int count, UUID owner, String backend, String status, Instant createdAt)
            throws SQLException {
        DB.rows("insert into imagen.jobs (owner_user_id, prompt, backend, status, attempt, failures, worker_id, error,"
                + " created_at, run_at) select ?, 'a test', ?, ?, 3, 2, gen_random_uuid(), 'broken', ?::timestamptz,"
                + " now() from generate_series(1, ?) returning id", owner, backend, status, createdAt.toString(),
                count);
    }

    private static Filter of(String backend, UUID owner, String status, Instant since, Instant until) {
        return new Filter(Optional.ofNullable(backend), Optional.ofNullable(owner), Optional.ofNullable(status),
                Optional.ofNullable(since), Optional.ofNullable(until));
    }

    private static long count(String where) throws SQLException {
        return (Long) DB.row("select count(*) as n from imagen.jobs where " + where).get("n");
    }

    // Cancel

    @Test
    void pending_jobs_are_cancelled_running_ones_asked_and_finished_ones_left() throws SQLException {
        for (var status : List.of("pending", "running", "done", "failed")) {
            insert(2, alice, "mock", status, NOON);
        }
        assertThat(many.cancel(OPERATOR, ALL)).isEqualTo(new Cancelled(2, 2, false));
        assertThat(count("status = 'cancelled' and completed_at is not null and version = 1")).isEqualTo(2);
        assertThat(count("status = 'running' and cancel_requested_at is not null and completed_at is null"))
                .isEqualTo(2);
        assertThat(count("status in ('done', 'failed') and version = 0")).isEqualTo(4);
        // Asked once is enough, and what is cancelled stays so.
        assertThat(many.cancel(OPERATOR, ALL)).isEqualTo(new Cancelled(0, 0, false));
        assertThat(count("version > 1")).isZero();
    }

    @Test
    void each_filter_leaves_the_others_untouched() throws SQLException {
        insert(1, alice, "mock", "pending", NOON);
        insert(1, alice, "flux", "pending", NOON);
        insert(1, bob, "mock", "running", NOON);
        insert(1, bob, null, "pending", NOON.plusSeconds(60));
        var untouched = "cancel_requested_at is null";
        assertThat(many.cancel(OPERATOR, of("flux", bob, null, null, null))).isEqualTo(new Cancelled(0, 0, false));
        assertThat(many.cancel(OPERATOR, of(null, null, null, NOON.plusSeconds(61), null)).cancelled()).isZero();
        assertThat(many.cancel(OPERATOR, of(null, null, null, null, NOON)).cancelled()).isZero();
        assertThat(count(untouched)).isEqualTo(4);
        assertThat(many.cancel(OPERATOR, of("", null, null, null, null))).isEqualTo(new Cancelled(1, 0, false));
        assertThat(many.cancel(OPERATOR, of(null, null, "running", NOON, NOON.plusSeconds(1))))
                .isEqualTo(new Cancelled(0, 1, false));
        assertThat(many.cancel(OPERATOR, of("mock", null, "pending", NOON, null)))
                .isEqualTo(new Cancelled(1, 0, false));
        assertThat(count(untouched + " and backend = 'flux'")).isOne();
        assertThat(many.cancel(OPERATOR, of(null, alice, null, null, null))).isEqualTo(new Cancelled(1, 0, false));
    }

    @Test
    void a_call_goes_on_from_batch_to_batch_and_stops_at_its_bound() throws SQLException {
        insert(1500, alice, "mock", "pending", NOON);
        var bounded = new ManyJobs(DB.database(), 1000);
        assertThat(bounded.cancel(OPERATOR, ALL)).isEqualTo(new Cancelled(1000, 0, true));
        assertThat(many.cancel(OPERATOR, ALL)).isEqualTo(new Cancelled(500, 0, false));
        assertThat(bounded.retry(OPERATOR, ALL)).isEqualTo(new Retried(1000, 0, true));
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(500, 0, false));
    }

    @Test
    void watchers_and_workers_are_told_as_of_single_jobs() throws SQLException {
        insert(1, alice, "mock", "pending", NOON);
        insert(1, alice, "mock", "running", NOON);
        try (var listener = DB.superuser(); var statement = listener.createStatement()) {
            statement.execute("listen imagen_jobs; listen imagen_job_events; listen imagen_job_cancels");
            many.cancel(OPERATOR, ALL);
            assertThat(told(listener.unwrap(PGConnection.class))).containsExactlyInAnyOrder("imagen_job_events",
                    "imagen_job_cancels");
            many.retry(OPERATOR, ALL);
            assertThat(told(listener.unwrap(PGConnection.class))).containsExactlyInAnyOrder("imagen_job_events",
                    "imagen_jobs");
        }
    }

    /** Notifications of one transaction arrive together. */
    private static List<String> told(PGConnection listener) throws SQLException {
        return Stream.of(listener.getNotifications(10_000)).map(notification -> notification.getName()).toList();
    }

    @Test
    void two_calls_at_once_move_each_job_once() throws Exception {
        insert(2500, alice, "mock", "pending", NOON);
        insert(500, bob, "mock", "running", NOON);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = executor.submit(() -> many.cancel(OPERATOR, ALL));
            var second = executor.submit(() -> many.cancel(OPERATOR, ALL));
            assertThat(first.get().cancelled() + second.get().cancelled()).isEqualTo(2500);
            assertThat(first.get().asked() + second.get().asked()).isEqualTo(500);
        }
        assertThat(count("version = 1")).isEqualTo(3000);
    }

    // Retry

    @Test
    void failed_and_cancelled_jobs_are_pending_again_as_new_but_for_their_attempt() throws SQLException {
        for (var status : List.of("failed", "cancelled", "pending", "running", "done")) {
            insert(1, alice, "mock", status, NOON);
        }
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(2, 0, false));
        assertThat(count("status = 'pending' and attempt = 3 and failures = 0 and error is null and worker_id is null"
                + " and run_at > now() - interval '1 minute' and version = 1")).isEqualTo(2);
        assertThat(count("version = 0")).isEqualTo(3);
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(0, 0, false));
    }

    @Test
    void only_what_the_filters_say_is_retried() throws SQLException {
        insert(1, alice, "mock", "failed", NOON);
        insert(1, alice, "mock", "cancelled", NOON);
        insert(1, bob, "flux", "failed", NOON);
        assertThat(many.retry(OPERATOR, of("mock", null, "failed", NOON, NOON.plusSeconds(1))).retried()).isOne();
        assertThat(count("status = 'pending' and backend = 'mock'")).isOne();
        assertThat(many.retry(OPERATOR, of(null, bob, null, null, null)).retried()).isOne();
        assertThat(count("status = 'cancelled'")).isOne();
    }

    @Test
    void of_an_owner_as_many_as_may_be_pending_are_retried_the_oldest_first_and_others_all() throws SQLException {
        insert(3, alice, "mock", "failed", NOON);
        insert(1, alice, "mock", "failed", NOON.minusSeconds(60));
        insert(1, alice, "mock", "pending", NOON);
        insert(2, bob, "mock", "failed", NOON);
        new QueueControl(DB.database()).limitPending(3);
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(4, 1, false));
        assertThat(count("status = 'pending' and owner_user_id = '" + alice + "'")).isEqualTo(3);
        assertThat(count("status = 'failed' and created_at < '" + NOON + "'")).isZero();
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(0, 1, false));
    }

    @Test
    void a_batch_of_limited_owners_does_not_hide_the_jobs_behind_it() throws SQLException {
        insert(1200, alice, "mock", "failed", NOON);
        insert(2, bob, "mock", "failed", NOON.plusSeconds(60));
        new QueueControl(DB.database()).limitPending(5);
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(7, 1, false));
    }

    @Test
    void an_owner_without_budget_gets_nothing_retried_and_others_do() throws SQLException {
        insert(1, alice, "mock", "failed", NOON);
        insert(1, bob, "mock", "failed", NOON);
        DB.rows("insert into imagen.usage (owner_user_id, backend, model, outcome, duration_ms, cost_usd)"
                + " values (?, 'mock', 'm', 'failed', 1, 3) returning id", alice);
        new QueueControl(DB.database()).limitSpending(BigDecimal.ONE);
        assertThat(many.retry(OPERATOR, ALL)).isEqualTo(new Retried(1, 1, false));
        assertThat(count("status = 'failed' and owner_user_id = '" + alice + "'")).isOne();
    }

    @ParameterizedTest
    @ValueSource(strings = {"select imagen.cancel_jobs()", "select imagen.retry_jobs()"})
    void an_owner_may_not_even_with_their_own(String sql) throws SQLException {
        insert(1, alice, "mock", "pending", NOON);
        try (var owner = DB.as(alice); var statement = owner.createStatement()) {
            assertThatExceptionOfType(SQLException.class).isThrownBy(() -> statement.execute(sql)).returns("42501",
                    SQLException::getSQLState);
        }
        assertThat(count("version = 0")).isOne();
    }
}
