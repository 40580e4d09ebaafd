package dev.imagen.worker;

import static dev.imagen.worker.FakePipeline.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobScope;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Settled;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The worker against a fake queue and a fake pipeline: no database, no waiting. */
@Timeout(30)
class WorkerTest {

    /** Long enough that only a signal can be the reason for whatever happens within a test. */
    private static final Duration NEVER = Duration.ofMinutes(4);

    private final FakeQueue queue = new FakeQueue();
    private final FakePipeline pipeline = FakePipeline.instant();
    private Worker worker = worker(1, NEVER, NEVER, Duration.ofSeconds(15));

    private Worker worker(int concurrency, Duration poll, Duration timeout, Duration lease) {
        return new Worker(queue, pipeline, new WorkerSettings(true, concurrency, poll, timeout, Duration.ofMinutes(1),
                lease, Duration.ofSeconds(60), Duration.ofSeconds(1), Map.of()), List.of("mock"), WorkerListener.NONE);
    }

    @AfterEach
    void stop() {
        pipeline.work((_, _) -> List.of());
        worker.stop();
    }

    @Test
    void loops_that_have_not_begun_do_not_hang_however_long_the_start_takes() {
        assertThat(worker.sinceLastTurn()).isZero();
    }

    @Test
    void a_job_whose_pipeline_returns_an_image_is_done_with_that_image_and_its_usage() throws Exception {
        var job = queue.add();
        worker.start();
        var settled = queue.awaitSettled();
        assertThat(settled.job().id()).isEqualTo(job.id());
        assertThat(settled.outcome()).isInstanceOfSatisfying(Outcome.Done.class, done -> {
            assertThat(done.images()).hasSize(1);
            assertThat(done.usage()).hasValueSatisfying(usage -> {
                assertThat(usage.backend()).isEqualTo("mock");
                assertThat(usage.images()).isEqualTo(1);
                assertThat(usage.megapixels()).isEqualTo(0.262144);
            });
        });
    }

    @Test
    void a_job_whose_pipeline_fails_is_failed_with_the_message() throws Exception {
        pipeline.work((_, _) -> {
            throw JobFailedException.permanent("the prompt was refused");
        });
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOfSatisfying(Outcome.Failed.class, failed -> {
            assertThat(failed.error()).isEqualTo("the prompt was refused");
            assertThat(failed.retryable()).isFalse();
            assertThat(failed.usage()).isEmpty();
        });
    }

    @Test
    void an_unexpected_exception_is_recorded_too() throws Exception {
        pipeline.work((_, _) -> {
            throw new IllegalStateException("broken");
        });
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOfSatisfying(Outcome.Failed.class,
                failed -> assertThat(failed.error()).contains("internal error").contains("broken"));
    }

    @Test
    void what_a_job_logs_is_known_to_be_its_own() throws Exception {
        var seen = new CompletableFuture<Optional<Job>>();
        pipeline.work((_, _) -> {
            seen.complete(JobScope.current());
            return List.of(FakePipeline.image());
        });
        var job = queue.add();
        worker.start();
        queue.awaitSettled();
        assertThat(seen.join().map(Job::id)).contains(job.id());
    }

    @Test
    void a_success_without_an_image_id_is_a_failure() throws Exception {
        pipeline.work((_, _) -> List.of());
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOfSatisfying(Outcome.Failed.class,
                failed -> assertThat(failed.error())
                        .isEqualTo("pipeline did not return an imagen.images id (cloud sync misconfigured?)"));
    }

    @Test
    void the_whole_backlog_is_drained_on_one_wake() throws Exception {
        for (int i = 0; i < 50; i++) {
            queue.add();
        }
        worker.start();
        for (int i = 0; i < 50; i++) {
            assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Done.class);
        }
    }

    @Test
    void a_free_slot_is_refilled_while_other_jobs_still_run() throws Exception {
        worker = worker(2, NEVER, NEVER, Duration.ofSeconds(15));
        var release = new CountDownLatch(1);
        var slow = queue.add();
        pipeline.work((job, _) -> {
            if (job.id().equals(slow.id())) {
                release.await();
            }
            return List.of(FakePipeline.image());
        });
        for (int i = 0; i < 10; i++) {
            queue.add();
        }
        worker.start();
        for (int i = 0; i < 10; i++) {
            assertThat(queue.awaitSettled().job().id()).isNotEqualTo(slow.id());
        }
        release.countDown();
        assertThat(queue.awaitSettled().job().id()).isEqualTo(slow.id());
    }

    @Test
    void no_more_jobs_run_at_once_than_there_are_slots() throws Exception {
        worker = worker(3, NEVER, NEVER, Duration.ofSeconds(15));
        var release = pipeline.hold();
        for (int i = 0; i < 9; i++) {
            queue.add();
        }
        worker.start();
        for (int i = 0; i < 3; i++) {
            await(pipeline.started, "a start");
        }
        worker.wake();
        assertThat(await(queue.claims, "the first claim")).isEqualTo(3);
        assertThat(worker.inFlight()).isEqualTo(3);
        assertThat(pipeline.started).isEmpty();
        release.countDown();
        for (int i = 0; i < 9; i++) {
            queue.awaitSettled();
        }
    }

    @Test
    void a_notification_wakes_a_sleeping_worker() throws Exception {
        worker.start();
        assertThat(await(queue.claims, "the first look at the queue")).isZero();
        queue.add();
        worker.wake();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void without_any_notification_the_poll_finds_the_job() throws Exception {
        worker = worker(1, Duration.ofMillis(100), NEVER, Duration.ofSeconds(15));
        worker.start();
        await(queue.claims, "the first look at the queue");
        queue.add();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void the_next_due_job_ends_the_sleep_before_the_poll() throws Exception {
        queue.nextDue(Duration.ofMillis(50));
        worker.start();
        assertThat(await(queue.claims, "the first claim")).isZero();
        assertThat(await(queue.claims, "the claim at the due time")).isZero();
    }

    @Test
    void stopping_lets_the_job_in_flight_finish_and_claims_no_other() throws Exception {
        var release = pipeline.hold();
        var inFlight = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.add();
        var stopped = Thread.ofVirtual().start(worker::stop);
        // It waits for the job once it has told the loop to end.
        Awaitility.await().until(() -> stopped.getState() == Thread.State.TIMED_WAITING);
        release.countDown();
        var settled = queue.awaitSettled();
        assertThat(settled.job().id()).isEqualTo(inFlight.id());
        assertThat(settled.outcome()).isInstanceOf(Outcome.Done.class);
        stopped.join();
        assertThat(queue.settled).isEmpty();
        assertThat(queue.left).hasSize(1);
    }

    @Test
    void after_the_grace_the_job_in_flight_is_handed_back() throws Exception {
        worker = new Worker(queue, pipeline, new WorkerSettings(true, 1, NEVER, NEVER, Duration.ZERO,
                Duration.ofSeconds(15), NEVER, Duration.ofSeconds(1), Map.of()), List.of("mock"), WorkerListener.NONE);
        pipeline.hold();
        queue.add();
        worker.start();
        await(pipeline.started, "the start");
        worker.stop();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.HandedBack.class);
        await(pipeline.interrupted, "the interruption");
    }

    @Test
    void a_queue_that_fails_for_a_while_is_asked_again() throws Exception {
        queue.failClaims(3);
        var job = queue.add();
        worker.start();
        assertThat(queue.awaitSettled().job().id()).isEqualTo(job.id());
    }

    @Test
    void after_a_claim_without_an_answer_rows_that_nobody_runs_are_handed_back() throws Exception {
        worker.start();
        assertThat(await(queue.handedBackExcept, "the look at the start")).isEqualTo(Set.of());
        await(queue.claims, "the first claim");
        queue.failClaims(1);
        worker.wake();
        assertThat(await(queue.handedBackExcept, "the look after the failure")).isEqualTo(Set.of());
    }

    @Test
    void an_outcome_is_recorded_again_until_the_queue_answers() throws Exception {
        queue.failSettles(3);
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().answer()).isEqualTo(Settled.WRITTEN);
        assertThat(pipeline.discarded).isEmpty();
    }

    @Test
    void stale_rows_are_rescued_at_the_start() throws Exception {
        worker.start();
        await(queue.rescues, "the rescue at the start");
    }

    @Test
    void a_dead_workers_jobs_are_rescued_as_soon_as_its_lease_ends_and_not_a_lease_later() throws Exception {
        // A lease that no test waits for: what a renewal foretells alone brings the next rescue.
        worker = worker(1, NEVER, NEVER, Duration.ofMinutes(10));
        queue.anotherLeaseEndsIn(Duration.ofMillis(200));
        var release = pipeline.hold();
        var job = queue.add();
        worker.start();
        await(queue.rescues, "the rescue at the start");
        await(pipeline.started, "the start");
        renewNow(job);
        await(queue.rescues, "the rescue at the end of the other lease");
        release.countDown();
    }

    /** The heartbeat's own renewal comes within half a second or a fifth of the lease, as its threads happen to run. */
    private void renewNow(Job job) throws InterruptedException {
        worker.cancelled(Set.of(job.id()));
        await(queue.renewed, "the renewal");
    }

    @Test
    void a_process_that_has_lost_its_own_lease_rescues_nobody_until_it_has_a_new_one() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofSeconds(3));
        worker.start();
        await(queue.rescues, "the rescue at the start");
        queue.anotherLeaseEndsIn(Duration.ZERO);
        queue.declareDead();
        await(queue.registered, "the first registration");
        await(queue.registered, "the registration after the lease was lost");
        assertThat(queue.rescues).isEmpty();
        await(queue.rescues, "the rescue after those who live have handed back");
    }

    @Test
    void other_workers_that_are_alive_cause_no_rescue() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofSeconds(3));
        queue.anotherLeaseEndsIn(Duration.ofMillis(2900));
        worker.start();
        await(queue.rescues, "the rescue at the start");
        await(queue.renewed, "a renewal");
        await(queue.renewed, "another renewal");
        assertThat(queue.rescues).isEmpty();
    }

    @Test
    void a_job_that_takes_too_long_is_stopped_and_recorded() throws Exception {
        worker = worker(1, NEVER, Duration.ofMillis(100), Duration.ofSeconds(15));
        pipeline.work((_, attempt) -> {
            attempt.calls("mock", "mock-landscape");
            new CountDownLatch(1).await();
            return List.of();
        });
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOfSatisfying(Outcome.Failed.class, failed -> {
            assertThat(failed.error()).contains("timed out after 0.1s");
            assertThat(failed.retryable()).isTrue();
            assertThat(failed.usage()).isPresent();
        });
        await(pipeline.interrupted, "the interruption");
    }

    @Test
    void a_pipeline_that_ignores_its_interruption_does_not_hold_up_the_record() throws Exception {
        worker = worker(1, NEVER, Duration.ofMillis(100), Duration.ofSeconds(15));
        var release = new CountDownLatch(1);
        pipeline.work((_, _) -> {
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // On purpose: a library that swallows it.
                }
            }
            return List.of(FakePipeline.image());
        });
        queue.add();
        worker.start();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Failed.class);
        release.countDown();
        assertThat(await(pipeline.discarded, "the removal of the late image")).hasSize(1);
    }

    @Test
    void a_cancel_stops_the_running_job() throws Exception {
        pipeline.hold();
        var job = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.askToCancel(job.id());
        worker.cancelled(Set.of(UUID.randomUUID(), job.id()));
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Cancelled.class);
    }

    /**
     * The answer to a renewal may be old: since it was written the job may have been cancelled, retried and claimed.
     */
    @Test
    void a_cancel_of_an_earlier_attempt_does_not_stop_this_one() throws Exception {
        var release = pipeline.hold();
        var job = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.askToCancel(job.id(), 0);
        queue.renewed.clear();
        worker.cancelled(Set.of(job.id()));
        await(queue.renewed, "the renewal");
        release.countDown();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void a_cancel_that_no_row_knows_of_stops_nothing() throws Exception {
        var release = pipeline.hold();
        var job = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.renewed.clear();
        worker.cancelled(Set.of(job.id()));
        await(queue.renewed, "the look at the rows");
        release.countDown();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Done.class);
        assertThat(pipeline.interrupted).isEmpty();
    }

    @Test
    void a_job_whose_claim_answers_after_the_lease_was_lost_is_handed_back() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofSeconds(5));
        pipeline.hold();
        var answer = queue.holdClaims();
        queue.add();
        worker.start();
        var first = await(queue.registered, "the registration");
        await(queue.held, "the claim");
        queue.declareDead();
        assertThat(await(queue.registered, "the second registration").id()).isNotEqualTo(first.id());
        answer.countDown();
        var settled = queue.awaitSettled();
        assertThat(settled.job().workerId()).contains(first.id());
        assertThat(settled.outcome()).isInstanceOf(Outcome.HandedBack.class);
    }

    @Test
    void a_slot_that_becomes_free_while_a_claim_is_under_way_is_filled() throws Exception {
        worker = worker(2, NEVER, NEVER, Duration.ofSeconds(15));
        var release = pipeline.hold();
        queue.add();
        worker.start();
        await(pipeline.started, "the first start");
        await(queue.claims, "the first claim");
        // One slot is free; the claim that fills it is answered only after the other one has become free too.
        var answer = queue.holdClaims();
        for (int i = 0; i < 2; i++) {
            queue.add();
        }
        worker.wake();
        await(queue.held, "the claim");
        release.countDown();
        queue.awaitSettled();
        answer.countDown();
        queue.awaitSettled();
        queue.awaitSettled();
    }

    @Test
    void a_cancel_that_was_not_heard_is_found_by_the_heartbeat() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofSeconds(5));
        pipeline.hold();
        var job = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.askToCancel(job.id());
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.Cancelled.class);
    }

    @Test
    void an_image_whose_finish_was_refused_is_removed() throws Exception {
        var release = pipeline.hold();
        var job = queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.takeAway(job.id());
        release.countDown();
        assertThat(queue.awaitSettled().answer()).isEqualTo(Settled.REFUSED);
        await(pipeline.discarded, "the removal");
    }

    @Test
    void without_renewals_a_worker_stops_its_own_jobs_before_the_lease_ends() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofMillis(1500));
        pipeline.hold();
        queue.add();
        worker.start();
        await(pipeline.started, "the start");
        queue.refuseRenewals();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.HandedBack.class);
    }

    @Test
    void a_worker_that_was_declared_dead_stops_its_jobs_and_comes_back_under_a_new_id() throws Exception {
        worker = worker(1, NEVER, NEVER, Duration.ofSeconds(5));
        pipeline.hold();
        queue.add();
        worker.start();
        var first = await(queue.registered, "the registration");
        await(pipeline.started, "the start");
        queue.declareDead();
        assertThat(queue.awaitSettled().outcome()).isInstanceOf(Outcome.HandedBack.class);
        assertThat(await(queue.registered, "the second registration").id()).isNotEqualTo(first.id());
    }

    @Test
    void progress_is_written_once_for_many_steps() throws Exception {
        var release = new CountDownLatch(1);
        pipeline.work((_, attempt) -> {
            for (int step = 1; step <= 7; step++) {
                attempt.finished(step, 20);
            }
            release.await();
            return List.of(FakePipeline.image());
        });
        queue.add();
        worker.start();
        assertThat(await(queue.progress, "the write")).singleElement().satisfies(tick -> {
            assertThat(tick.step()).isEqualTo(7);
            assertThat(tick.steps()).isEqualTo(20);
        });
        release.countDown();
        queue.awaitSettled();
    }

    @Test
    void jobs_of_a_backend_that_nobody_offers_fail_when_its_time_is_up_and_not_before() throws Exception {
        // A lease that no test waits for: the time of the backend alone brings the next look.
        worker = new Worker(
                queue, pipeline, new WorkerSettings(true, 1, Duration.ofMillis(100), NEVER, NEVER,
                        Duration.ofMinutes(10), Duration.ofSeconds(1), Duration.ofSeconds(1), Map.of()),
                List.of("mock"), WorkerListener.NONE);
        queue.nobodyOffers("dalle");
        worker.start();
        await(queue.handedBackExcept, "the first recovery");
        assertThat(queue.failedUnoffered).isEmpty();
        assertThat(await(queue.failedUnoffered, "the failure")).containsExactly("dalle");
    }

    @Test
    void stopping_twice_is_safe() throws Exception {
        worker.start();
        await(queue.claims, "the first claim");
        worker.stop();
        worker.stop();
        assertThat(queue.left.poll(1, TimeUnit.SECONDS)).isNotNull();
        assertThat(queue.left).isEmpty();
    }
}
