package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What imagen.pause and imagen.resume do to claims. */
@Tag("postgres")
class PauseTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final WorkerIdentity worker = worker("mock", "flux");
    private PostgresJobQueue queue;

    @BeforeEach
    void register() throws SQLException {
        DB.clear();
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO));
        queue.register(worker);
    }

    private static void insert(String backend) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend) values (gen_random_uuid(), 'a test', "
                + backend + ")");
    }

    private List<String> claimed() {
        return queue.claim(worker, offers(worker), 10).stream().map(job -> job.request().backend().orElseThrow())
                .toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_paused_backend_is_not_claimed_and_the_others_are(boolean fair) throws SQLException {
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO), fair);
        DB.rows("select imagen.pause('flux')");
        insert("'flux'");
        insert("'mock'");
        insert("null");
        assertThat(claimed()).containsExactly("mock", "mock");
        assertThat(queue.untilNextDue(worker, offers(worker))).isEmpty();
        DB.rows("select imagen.resume('flux')");
        assertThat(claimed()).containsExactly("flux");
    }

    @Test
    void jobs_that_name_none_wait_while_the_default_backend_is_paused() throws SQLException {
        DB.rows("select imagen.pause('mock')");
        insert("null");
        assertThat(claimed()).isEmpty();
    }

    @Test
    void null_pauses_everything_and_resuming_null_ends_every_pause() throws SQLException {
        DB.rows("select imagen.pause('flux')");
        DB.rows("select imagen.pause()");
        insert("'flux'");
        insert("null");
        assertThat(claimed()).isEmpty();
        DB.rows("select imagen.resume('flux')");
        assertThat(claimed()).isEmpty();
        DB.rows("select imagen.pause('flux')");
        assertThat(DB.rows("select * from imagen.resume()")).isEmpty();
        assertThat(claimed()).hasSize(2);
    }

    @Test
    void what_runs_goes_on() throws SQLException {
        insert("null");
        Job job = queue.claim(worker, offers(worker), 1).getFirst();
        DB.rows("select imagen.pause()");
        assertThat(queue.settle(job, done(job, 1))).isEqualTo(Settled.WRITTEN);
    }

    @Test
    void pausing_twice_is_one_pause_and_both_functions_tell_what_is_paused() throws SQLException {
        DB.rows("select imagen.pause('flux')");
        assertThat(DB.rows("select * from imagen.pause('flux')")).singleElement()
                .satisfies(row -> assertThat(row).containsEntry("backend", "flux").containsKey("paused_at"));
        assertThat(DB.rows("select * from imagen.pause(null)")).extracting(row -> row.get("backend"))
                .containsExactly("", "flux");
        assertThat(DB.rows("select * from imagen.resume('no such')")).hasSize(2);
    }

    @Test
    void a_job_does_not_fail_for_want_of_a_worker_while_its_backend_is_paused() throws SQLException {
        insert("'dalle'");
        DB.rows("select imagen.pause('dalle')");
        assertThat(queue.unoffered()).isEmpty();
        assertThat(queue.failUnoffered(Set.of("dalle"))).isZero();
        DB.rows("select imagen.resume('dalle')");
        assertThat(queue.unoffered()).containsExactly("dalle");
    }

    @Test
    void a_resume_wakes_the_workers() throws SQLException {
        try (var listener = DB.superuser(); var statement = listener.createStatement()) {
            statement.execute("listen imagen_jobs");
            DB.rows("select imagen.resume()");
            var told = listener.unwrap(org.postgresql.PGConnection.class).getNotifications(10_000);
            assertThat(told).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"select imagen.pause()", "select imagen.resume('mock')", "select * from imagen.pauses",
            "insert into imagen.pauses values ('mock')"})
    void an_owner_may_neither_pause_nor_see_what_is_paused(String sql) throws SQLException {
        try (var owner = DB.as(UUID.randomUUID()); var statement = owner.createStatement()) {
            assertThatExceptionOfType(SQLException.class).isThrownBy(() -> statement.execute(sql)).returns("42501",
                    SQLException::getSQLState);
        }
    }
}
