package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.failed;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.database.Caller;
import dev.imagen.job.Job;
import dev.imagen.job.JobAttempt;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The record of how each attempt ended. */
@Tag("postgres")
class AttemptsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID owner = UUID.randomUUID();
    private final WorkerIdentity worker = worker("mock");
    private PostgresJobQueue queue;
    private OwnedJobs jobs;

    @BeforeEach
    void register() throws SQLException {
        DB.clear();
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO));
        queue.register(worker);
        jobs = new OwnedJobs(DB.database());
    }

    private Job claim() throws SQLException {
        DB.execute("update imagen.jobs set run_at = now() where status = 'pending'");
        return queue.claim(worker, offers(worker), 1).getFirst();
    }

    private List<JobAttempt> attempts(UUID job) {
        return jobs.find(Caller.owner(owner), job).orElseThrow().attempts();
    }

    @Test
    void a_job_that_nobody_claimed_has_none() throws SQLException {
        assertThat(attempts(DB.insertJob(owner))).isEmpty();
    }

    @Test
    void the_running_attempt_is_the_last_and_has_no_end() throws SQLException {
        var id = DB.insertJob(owner);
        var job = claim();
        assertThat(attempts(id)).containsExactly(new JobAttempt(1, Optional.of(worker.id()), Optional.of("mock"),
                job.startedAt(), Optional.empty(), Optional.empty(), Optional.empty()));
    }

    @Test
    void each_way_out_is_kept_with_its_start_end_worker_and_error() throws SQLException {
        var id = DB.insertJob(owner);
        var first = claim();
        queue.settle(first, failed("the GPU is busy", true));
        var second = claim();
        queue.settle(second, new Outcome.HandedBack(Optional.empty()));
        var third = claim();
        queue.settle(third, done(third, 1));

        var finished = attempts(id);
        assertThat(finished).extracting(JobAttempt::attempt).containsExactly(1, 2, 3);
        assertThat(finished).extracting(attempt -> attempt.outcome().orElseThrow()).containsExactly("failed",
                "handed_back", "done");
        assertThat(finished).extracting(JobAttempt::error)
                .containsExactly(Optional.of("the GPU is busy (attempt 1 of 3)"), Optional.empty(), Optional.empty());
        assertThat(finished).extracting(JobAttempt::startedAt).containsExactly(first.startedAt(), second.startedAt(),
                third.startedAt());
        assertThat(finished).allSatisfy(attempt -> {
            assertThat(attempt.workerId()).contains(worker.id());
            assertThat(attempt.backend()).contains("mock");
            assertThat(attempt.endedAt().orElseThrow()).isAfterOrEqualTo(attempt.startedAt().orElseThrow());
        });
        assertThat(finished.getLast().endedAt())
                .isEqualTo(jobs.find(Caller.owner(owner), id).orElseThrow().job().completedAt());
    }

    @Test
    void a_finish_that_is_repeated_is_one_attempt() throws SQLException {
        var id = DB.insertJob(owner);
        var job = claim();
        var outcome = done(job, 1);
        queue.settle(job, outcome);
        queue.settle(job, outcome);
        assertThat(attempts(id)).singleElement().returns(Optional.of("done"), JobAttempt::outcome);
    }

    @Test
    void what_a_worker_no_longer_holds_is_not_its_attempt() throws SQLException {
        var id = DB.insertJob(owner);
        var job = claim();
        queue.settle(job, new Outcome.HandedBack(Optional.empty()));
        queue.settle(job, done(job, 1));
        queue.settle(job, failed("too late", false));
        queue.settle(job, new Outcome.Cancelled(Optional.empty()));
        assertThat(attempts(id)).singleElement().returns(Optional.of("handed_back"), JobAttempt::outcome);
    }

    @Test
    void a_cancelled_attempt_says_so() throws SQLException {
        var id = DB.insertJob(owner);
        queue.settle(claim(), new Outcome.Cancelled(Optional.empty()));
        assertThat(attempts(id)).singleElement().returns(Optional.of("cancelled"), JobAttempt::outcome);
    }

    @Test
    void a_rescued_attempt_says_that_its_worker_stopped() throws SQLException {
        var id = DB.insertJob(owner);
        var job = claim();
        queue.expireAll();
        queue.rescue();
        assertThat(attempts(id)).singleElement().satisfies(attempt -> {
            assertThat(attempt.outcome()).contains("rescued");
            assertThat(attempt.workerId()).contains(worker.id());
            assertThat(attempt.startedAt()).isEqualTo(job.startedAt());
            assertThat(attempt.error()).contains("the worker stopped during attempt 1 (attempt 1 of 3)");
        });
    }

    @Test
    void a_claim_whose_answer_was_lost_is_handed_back_with_the_reason() throws SQLException {
        var id = DB.insertJob(owner);
        claim();
        queue.handBackUnknown(worker.id(), Set.of());
        assertThat(attempts(id)).singleElement().satisfies(attempt -> {
            assertThat(attempt.outcome()).contains("handed_back");
            assertThat(attempt.workerId()).contains(worker.id());
            assertThat(attempt.error()).contains("the claim got no answer");
        });
    }

    @Test
    void another_owner_sees_none_of_them() throws SQLException {
        DB.insertJob(owner);
        queue.settle(claim(), failed("no", false));
        try (var stranger = DB.as(UUID.randomUUID()); var statement = stranger.createStatement()) {
            assertThat(TestDatabase.rows(statement.executeQuery("select * from imagen.job_attempts"))).isEmpty();
        }
        try (var own = DB.as(owner); var statement = own.createStatement()) {
            assertThat(TestDatabase.rows(statement.executeQuery("select * from imagen.job_attempts"))).hasSize(1);
        }
    }

    @Test
    void attempts_go_with_their_job() throws SQLException {
        var id = DB.insertJob(owner);
        queue.settle(claim(), failed("no", false));
        DB.execute("delete from imagen.jobs where id = '" + id + "'");
        assertThat(DB.rows("select from imagen.job_attempts")).isEmpty();
    }
}
