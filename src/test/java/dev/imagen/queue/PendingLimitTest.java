package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How many pending jobs an owner may have. */
@Tag("postgres")
class PendingLimitTest {

    private static final String INSERT = "insert into imagen.jobs (prompt) values ('a test')";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID owner = UUID.randomUUID();

    @BeforeEach
    void limit() throws SQLException {
        DB.clear();
        new QueueControl(DB.database()).limitPending(10);
    }

    /** @return whether the database took it */
    private boolean insert(UUID by, String sql) throws SQLException {
        try (var connection = DB.as(by); var statement = connection.createStatement()) {
            statement.execute(sql);
            connection.commit();
            return true;
        } catch (SQLException e) {
            assertThat(e.getSQLState()).isEqualTo("PT429");
            return false;
        }
    }

    private static long pending(UUID of) throws SQLException {
        return (Long) DB
                .row("select count(*) as pending from imagen.jobs where owner_user_id = ? and status = 'pending'", of)
                .get("pending");
    }

    private static String many(int jobs) {
        return "insert into imagen.jobs (prompt) select 'a test' from generate_series(1, " + jobs + ")";
    }

    @Test
    void the_job_beyond_the_limit_is_refused_with_what_to_do() throws SQLException {
        assertThat(insert(owner, many(10))).isTrue();
        try (var connection = DB.as(owner); var statement = connection.createStatement()) {
            assertThatExceptionOfType(SQLException.class).isThrownBy(() -> statement.execute(INSERT))
                    .returns("PT429", SQLException::getSQLState)
                    .withMessageContaining("too many pending jobs: an owner may have 10 at a time")
                    .withMessageContaining("Wait until some have run, or cancel some.");
        }
        assertThat(pending(owner)).isEqualTo(10);
    }

    @Test
    void a_statement_that_goes_beyond_it_inserts_nothing() throws SQLException {
        assertThat(insert(owner, many(11))).isFalse();
        assertThat(pending(owner)).isZero();
    }

    @Test
    void each_owner_has_a_limit_of_their_own_and_only_pending_jobs_count() throws SQLException {
        var other = UUID.randomUUID();
        assertThat(insert(owner, many(10))).isTrue();
        assertThat(insert(other, many(10))).isTrue();
        DB.execute(
                "update imagen.jobs set status = 'running' where id = (select id from imagen.jobs where owner_user_id"
                        + " = '" + owner + "' limit 1)");
        assertThat(insert(owner, INSERT)).isTrue();
        assertThat(insert(owner, INSERT)).isFalse();
        assertThat(insert(other, INSERT)).isFalse();
    }

    @Test
    void the_service_role_is_held_to_it_for_every_owner_in_its_statement() throws SQLException {
        assertThat(insert(owner, many(10))).isTrue();
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> DB.execute("insert into imagen.jobs (owner_user_id, prompt) values"
                        + " (gen_random_uuid(), 'a test'), ('" + owner + "', 'a test')"))
                .returns("PT429", SQLException::getSQLState);
    }

    /** Twenty connections, each in a transaction of its own, all at the gate when the limit is one job away. */
    @ParameterizedTest
    @ValueSource(ints = {0, 9})
    void it_is_exact_with_twenty_connections_inserting_at_once(int before) throws Exception {
        insert(owner, many(before));
        var gate = new CyclicBarrier(20);
        var inserts = new ArrayList<Callable<Boolean>>();
        for (int i = 0; i < 20; i++) {
            inserts.add(() -> {
                gate.await();
                return insert(owner, INSERT);
            });
        }
        int taken = 0;
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var insert : executor.invokeAll(inserts)) {
                taken += insert.get() ? 1 : 0;
            }
        }
        assertThat(taken).isEqualTo(10 - before);
        assertThat(pending(owner)).isEqualTo(10);
    }

    @Test
    void a_retry_counts_too() throws SQLException {
        var failed = DB.insertJob(owner);
        DB.execute("update imagen.jobs set status = 'failed' where id = '" + failed + "'");
        assertThat(insert(owner, many(10))).isTrue();
        assertThat(insert(owner, "select imagen.retry_job('" + failed + "')")).isFalse();
        assertThat(DB.job(failed)).containsEntry("status", "failed");
    }

    @Test
    void zero_lifts_it() throws SQLException {
        new QueueControl(DB.database()).limitPending(0);
        assertThat(insert(owner, many(100))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"update imagen.limits set pending_per_owner = 1000",
            "select imagen.check_pending_limit(array[gen_random_uuid()])"})
    void an_owner_may_neither_change_it_nor_ask_about_others(String sql) throws SQLException {
        try (var connection = DB.as(owner); var statement = connection.createStatement()) {
            assertThatExceptionOfType(SQLException.class).isThrownBy(() -> statement.execute(sql)).returns("42501",
                    SQLException::getSQLState);
        }
    }
}
