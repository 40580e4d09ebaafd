package dev.imagen.worker;

import static dev.imagen.worker.FakePipeline.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.BackendSettings;
import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Offer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the settings of a backend mean to the worker. */
@Timeout(30)
class BackendLimitsTest {

    /** Long enough that only a signal can be the reason for whatever happens within a test. */
    private static final Duration NEVER = Duration.ofMinutes(4);

    private final FakeQueue queue = new FakeQueue();
    private final FakePipeline pipeline = FakePipeline.instant();
    private Worker worker;

    private Worker worker(int concurrency, BackendSettings mock) {
        return new Worker(queue, pipeline,
                new WorkerSettings(true, concurrency, NEVER, NEVER, Duration.ofMinutes(1), Duration.ofSeconds(15),
                        Duration.ofSeconds(60), Duration.ofSeconds(1), Map.of("mock", mock)),
                List.of("mock", "flux"), WorkerListener.NONE);
    }

    @AfterEach
    void stop() {
        pipeline.work((_, _) -> List.of());
        worker.stop();
    }

    @Test
    void a_backend_has_no_more_jobs_here_than_its_slots_and_the_next_starts_when_one_ends() throws Exception {
        worker = worker(4, new BackendSettings(Optional.of(5), Optional.of(1), Optional.empty(), Optional.empty()));
        var releases = new Semaphore(0);
        pipeline.work((_, _) -> {
            releases.acquire();
            return List.of(FakePipeline.image());
        });
        queue.add();
        queue.add();
        worker.start();
        await(pipeline.started, "the first job");
        assertThat(await(queue.offered, "the first claim")).containsExactly(new Offer("mock", 1, Optional.of(5)),
                new Offer("flux", 4, Optional.empty()));
        worker.wake();
        assertThat(await(queue.offered, "the claim meanwhile")).extracting(Offer::backend).containsExactly("flux");
        assertThat(pipeline.started).isEmpty();
        releases.release(2);
        await(pipeline.started, "the second job, without a wake-up or a poll");
    }

    @Test
    void a_backends_own_timeout_ends_its_jobs_and_is_named() throws Exception {
        worker = worker(1, new BackendSettings(Optional.empty(), Optional.empty(), Optional.of(Duration.ofMillis(50)),
                Optional.empty()));
        pipeline.hold();
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOfSatisfying(Outcome.Failed.class,
                failed -> assertThat(failed.error()).isEqualTo("timed out after 0.05s (backends.mock.timeout)"));
    }

    @Test
    void what_is_due_but_was_not_given_to_us_is_asked_for_again_when_a_job_of_ours_ends() throws Exception {
        // As where a backend runs as many jobs over all processes as it may.
        worker = worker(2, BackendSettings.NONE);
        var release = pipeline.hold();
        queue.nextDue(Duration.ZERO);
        queue.add();
        worker.start();
        assertThat(await(queue.claims, "the first claim")).isOne();
        release.countDown();
        queue.awaitSettled();
        await(queue.claims, "the claim after the job's end");
    }
}
