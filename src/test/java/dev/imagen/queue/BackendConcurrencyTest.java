package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.failed;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.BackendSettings;
import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How many jobs of a backend run at once, here and over all processes. */
@Tag("postgres")
class BackendConcurrencyTest {

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

    private static Offer offer(String backend, int free, int concurrency) {
        return new Offer(backend, free, Optional.of(concurrency));
    }

    private static Offer unlimited(String backend) {
        return new Offer(backend, 100, Optional.empty());
    }

    private static void insert(String backend, int jobs) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend) select gen_random_uuid(), 'a test', "
                + backend + " from generate_series(1, " + jobs + ")");
    }

    @Test
    void no_more_run_at_once_than_the_backends_concurrency_and_the_next_when_one_ends() throws SQLException {
        insert("'flux'", 5);
        var offers = List.of(offer("flux", 10, 2));
        var first = queue.claim(worker, offers, 10);
        assertThat(first).hasSize(2);
        assertThat(queue.claim(worker, offers, 10)).isEmpty();
        assertThat(queue.untilNextDue(worker, offers)).contains(Duration.ZERO);
        queue.settle(first.getFirst(), done(first.getFirst(), 1));
        assertThat(queue.claim(worker, offers, 10)).hasSize(1);
    }

    @Test
    void jobs_that_name_no_backend_count_as_jobs_of_the_default_one() throws SQLException {
        insert("null", 3);
        insert("'mock'", 3);
        assertThat(queue.claim(worker, List.of(offer("mock", 10, 2)), 10)).hasSize(2)
                .allSatisfy(job -> assertThat(job.request().backend()).contains("mock"));
        assertThat(queue.claim(worker, List.of(offer("mock", 10, 2)), 10)).isEmpty();
    }

    @Test
    void a_claim_takes_no_more_of_a_backend_than_this_process_has_slots_for_it() throws SQLException {
        insert("null", 3);
        insert("'mock'", 3);
        insert("'flux'", 3);
        var claimed = queue.claim(worker,
                List.of(new Offer("mock", 2, Optional.empty()), new Offer("flux", 1, Optional.empty())), 10);
        assertThat(claimed).extracting(job -> job.request().backend().orElseThrow()).containsExactlyInAnyOrder("mock",
                "mock", "flux");
    }

    @Test
    void of_a_limited_backend_the_highest_priority_goes_first_whether_or_not_it_is_named() throws SQLException {
        insert("'mock'", 2);
        insert("null", 1);
        DB.execute("update imagen.jobs set priority = 5 where backend is null");
        assertThat(queue.claim(worker, List.of(offer("mock", 10, 1)), 10)).singleElement()
                .satisfies(job -> assertThat(job.request().priority()).isEqualTo(5));
    }

    @Test
    void a_failure_and_a_rescue_free_the_slot() throws SQLException {
        insert("'flux'", 3);
        var offers = List.of(offer("flux", 10, 1));
        var job = queue.claim(worker, offers, 10).getFirst();
        queue.settle(job, failed("no", false));
        assertThat(queue.claim(worker, offers, 10)).hasSize(1);
        queue.expireAll();
        queue.rescue();
        queue.register(worker);
        assertThat(queue.claim(worker, offers, 10)).hasSize(1);
    }

    /** The claims count each other's jobs although neither has committed when the other begins. */
    @RepeatedTest(3)
    void claims_of_many_processes_at_once_never_exceed_it() throws Exception {
        insert("'flux'", 200);
        int processes = 8;
        var gate = new CyclicBarrier(processes);
        var claims = new ArrayList<Callable<List<Job>>>();
        for (int i = 0; i < processes; i++) {
            var other = worker("flux");
            queue.register(other);
            claims.add(() -> {
                gate.await();
                return queue.claim(other, List.of(offer("flux", 10, 3)), 10);
            });
        }
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            int claimed = 0;
            for (var claim : executor.invokeAll(claims)) {
                claimed += claim.get().size();
            }
            assertThat(claimed).isEqualTo(3);
        }
        assertThat(DB.row("select count(*) as running from imagen.jobs where status = 'running'"))
                .containsEntry("running", 3L);
    }

    @Test
    void a_saturated_backend_with_a_long_backlog_neither_holds_up_another_nor_is_read() throws SQLException {
        insert("'flux'", 20_000);
        DB.execute("vacuum analyze imagen.jobs",
                // That may have taken longer than a lease.
                "update imagen.workers set heartbeat_at = now()");
        var offers = List.of(offer("flux", 10, 1), unlimited("mock"));
        assertThat(queue.claim(worker, offers, 10)).hasSize(1);
        assertThat(queue.claim(worker, offers, 10)).isEmpty();
        insert("'mock'", 2);
        assertThat(queue.claim(worker, offers, 10)).extracting(job -> job.request().backend().orElseThrow())
                .containsExactly("mock", "mock");
        insert("'mock'", 1);
        assertThat(ClaimCost.pages(DB, queue, worker, offers)).isLessThan(400);
    }

    @Test
    void a_backends_own_backoff_is_the_wait_of_its_jobs() throws SQLException {
        var usual = settings(Duration.ZERO);
        queue = new PostgresJobQueue(DB.database(),
                new WorkerSettings(true, usual.concurrency(), usual.poll(), usual.timeout(), usual.grace(),
                        usual.lease(), usual.unknown(), usual.backoff(),
                        Map.of("flux", new BackendSettings(Optional.empty(), Optional.empty(), Optional.empty(),
                                Optional.of(Duration.ofMillis(1))))));
        insert("'flux'", 1);
        var job = queue.claim(worker, List.of(unlimited("flux")), 1).getFirst();
        queue.settle(job, failed("busy", true));
        assertThat(waits(job.id())).isLessThanOrEqualTo(1);
    }

    private static double waits(UUID job) throws SQLException {
        return ((Number) DB.row(
                "select (extract(epoch from run_at - updated_at) * 1000)::float8 as millis from imagen.jobs where id = ?",
                job).get("millis")).doubleValue();
    }
}
