package dev.imagen.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.testing.LogRecords;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Who writes samples, and which; two samplers on one database are two replicas. */
@Tag("postgres")
@Timeout(60)
@Isolated("counts what its package warns of")
class QueueSamplerTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @BeforeEach
    void clear() throws SQLException {
        DB.clear();
        DB.execute("update imagen.upkeep set last_sample_at = 'epoch'",
                "insert into imagen.workers (id, name, backends) values (gen_random_uuid(), 'w', '{mock}')");
    }

    private static QueueSampler sampler() {
        return new QueueSampler(DB.database());
    }

    private static long samples() throws SQLException {
        return (Long) DB.row("select count(distinct taken_at) as n from imagen.queue_samples").get("n");
    }

    @Test
    void a_sample_has_every_backend_with_what_is_due_and_runs_and_the_oldest() throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend, run_at, created_at) values"
                + " (gen_random_uuid(), 'a', 'flux', now() - interval '90 seconds', now() - interval '1 day'),"
                + " (gen_random_uuid(), 'a', 'flux', now() + interval '1 day', now())");
        sampler().sample();
        assertThat(DB.rows("select backend, pending, running, oldest_seconds between 90 and 600 as old"
                + " from imagen.queue_samples order by backend").toString())
                .isEqualTo("[{backend=flux, pending=1, running=0, old=true},"
                        + " {backend=mock, pending=0, running=0, old=null}]");
    }

    @Test
    void of_many_replicas_that_sample_at_once_one_does() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var start = new CountDownLatch(1);
            var asked = Stream.generate(QueueSamplerTest::sampler).limit(8).map(sampler -> executor.submit(() -> {
                start.await();
                sampler.sample();
                return true;
            })).toList();
            start.countDown();
            for (var answer : asked) {
                answer.get();
            }
        }
        assertThat(DB.rows("select from imagen.queue_samples")).hasSize(1);
    }

    /** Statements that cross: the one that waited must look at the turn again. */
    @Test
    void a_replica_that_waited_for_another_ones_sample_takes_none() throws Exception {
        try (var first = DB.superuser();
                var statement = first.createStatement();
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            first.setAutoCommit(false);
            statement.execute(QueueSampler.SAMPLE);
            var second = executor.submit(() -> sampler().sample());
            await().until(() -> !DB.rows(
                    "select from pg_stat_activity where wait_event_type = 'Lock'" + " and datname = current_database()")
                    .isEmpty());
            first.commit();
            second.get();
        }
        assertThat(samples()).isOne();
    }

    @Test
    void the_next_one_is_due_after_55_seconds() throws SQLException {
        sampler().sample();
        DB.execute("update imagen.upkeep set last_sample_at = last_sample_at - interval '50 seconds'");
        sampler().sample();
        assertThat(samples()).isOne();
        DB.execute("update imagen.upkeep set last_sample_at = last_sample_at - interval '5 seconds'");
        sampler().sample();
        assertThat(samples()).isEqualTo(2);
    }

    @Test
    void samples_older_than_a_week_go_with_the_next_one() throws SQLException {
        DB.execute("insert into imagen.queue_samples (taken_at, backend, pending, running) values"
                + " (now() - interval '7 days 1 minute', 'mock', 0, 0), (now() - interval '6 days', 'mock', 0, 0)");
        sampler().sample();
        assertThat(samples()).isEqualTo(2);
        assertThat(DB.rows("select from imagen.queue_samples where taken_at < now() - interval '7 days'")).isEmpty();
    }

    @Test
    void a_sample_that_fails_is_one_warning_and_the_sampler_goes_on() throws SQLException {
        DB.execute("alter table imagen.queue_samples rename to away");
        try (var log = LogRecords.of("dev.imagen.observe")) {
            sampler().sample();
            assertThat(log.warnings()).singleElement().asString()
                    .startsWith("no sample of the queue's depth, the next one is in a minute: ");
        } finally {
            DB.execute("alter table imagen.away rename to queue_samples");
        }
        // The turn was not taken with it.
        sampler().sample();
        assertThat(samples()).isOne();
    }

    @Test
    void the_first_sample_is_taken_at_once() throws Exception {
        try (var sampler = sampler()) {
            sampler.start();
            await().until(() -> samples() == 1);
        }
    }
}
