package dev.imagen.queue;

import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.job.Job;
import dev.imagen.job.NewJob;
import dev.imagen.job.Outcome;
import dev.imagen.queue.Answer.Attempt;
import dev.imagen.queue.Answer.Plain;
import dev.imagen.queue.JobQueue.Finish;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.Move.Ending;
import dev.imagen.queue.OwnedJobs.Submission;
import dev.imagen.queue.OwnedJobs.Submitted;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Plays moves on PostgreSQL: the one place where they become calls. */
final class RealQueue {

    /** Only {@link Move.Die} ends a lease, however slow the machine is, and a backend may be unknown for no time. */
    private static final WorkerSettings SETTINGS = new WorkerSettings(true, 4, Duration.ofSeconds(5),
            Duration.ofMinutes(5), Duration.ofMinutes(5), Duration.ofHours(1), Duration.ZERO, Duration.ZERO, Map.of());
    private static final Duration UNTIL_WAIT = Duration.ofHours(1);

    private final JobQueue queue;
    private final OwnedJobs owned;
    private final Connection operator;
    private final Cast cast;

    /**
     * @param fair whether owners take turns
     * @param operator a superuser's, for what only time and operators do
     */
    RealQueue(Database database, boolean fair, Connection operator, Cast cast) {
        this.queue = new PostgresJobQueue(database, SETTINGS, fair);
        this.owned = new OwnedJobs(database);
        this.operator = operator;
        this.cast = cast;
    }

    /** Removes all rows; a truncate of so many tables would take as long as a try. */
    static void clear(Connection operator) throws SQLException {
        try (var statement = operator.createStatement()) {
            statement.execute("delete from imagen.jobs; delete from imagen.images; delete from imagen.usage; "
                    + "delete from imagen.workers; delete from imagen.pauses");
        }
    }

    Answer play(Move move) throws SQLException {
        return switch (move) {
            case Move.Insert insert -> insert(insert);
            case Move.Cancel cancel -> became(owned.cancel(Cast.owner(cancel.job()), Cast.id(cancel.job())));
            case Move.Retry retry -> retry(retry.job());
            case Move.Register register -> register(register.worker());
            case Move.Die die -> die(die.worker());
            case Move.Leave leave -> leave(leave.worker());
            case Move.Renew renew -> renew(renew.worker());
            case Move.Claim claim -> claim(claim);
            case Move.Settle settle ->
                cast.job(settle.holder()).map(job -> settle(job, settle.ending())).orElse(Plain.NOTHING);
            case Move.Progress progress -> progress(progress);
            case Move.HandBackUnknown back -> new Answer.Changed(
                    queue.handBackUnknown(cast.worker(back.worker()).id(), List.of(Cast.id(back.known()))));
            case Move.Rescue() -> new Answer.Changed(queue.rescue());
            case Move.FailUnoffered() -> failUnoffered();
            case Move.Pause pause -> operate("select imagen.pause('" + pause.backend() + "')");
            case Move.Resume() -> operate("select imagen.resume()");
            case Move.Wait() -> waitUntilDue();
        };
    }

    private Answer insert(Move.Insert move) {
        var request = new NewJob("a test", Optional.empty(), move.backend(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), move.priority(),
                Optional.empty(), move.maxAttempts());
        var submission = new Submission(Optional.of(Cast.id(move.job())), Cast.owner(move.job()).owner().orElseThrow(),
                request, Optional.empty(), Optional.empty(), new byte[0]);
        return owned.submit(Cast.owner(move.job()), submission) instanceof Submitted.Created created
                ? became(Optional.of(created.job()))
                : Plain.REFUSED;
    }

    private static Answer became(Optional<Job> job) {
        return job.<Answer>map(changed -> new Answer.Became(changed.status())).orElse(Plain.REFUSED);
    }

    private Answer retry(int job) {
        try {
            return became(owned.retry(Cast.owner(job), Cast.id(job)));
        } catch (DatabaseException e) {
            if (e.state().equals("PT409")) {
                return Plain.REFUSED;
            }
            throw e;
        }
    }

    private Answer register(int worker) {
        queue.register(cast.register(worker));
        return Plain.NOTHING;
    }

    private Answer leave(int worker) {
        queue.leave(cast.worker(worker).id());
        return Plain.NOTHING;
    }

    private Answer renew(int worker) {
        var renewal = queue.renew(cast.worker(worker).id());
        return new Answer.Renewed(renewal.alive(),
                renewal.cancels().keySet().stream().map(Cast::number).collect(Collectors.toSet()));
    }

    private Answer claim(Move.Claim move) {
        var offers = Cast.backends(move.worker()).stream()
                .map(backend -> new Offer(backend, move.limit(), Cast.concurrency(backend))).toList();
        var jobs = queue.claim(cast.worker(move.worker()), offers, move.limit());
        cast.claimed(jobs);
        return new Answer.Claimed(jobs.stream().map(RealQueue::attempt).toList());
    }

    private static Attempt attempt(Job job) {
        return new Attempt(Cast.number(job.id()), job.attempt());
    }

    private Answer settle(Job job, Ending ending) {
        return new Answer.Settled(attempt(job), record(job, outcome(ending, job)));
    }

    /** As a worker does it. */
    private Settled record(Job job, Outcome outcome) {
        if (outcome instanceof Outcome.Done done && queue.finish(List.of(new Finish(job, done))).contains(job.id())) {
            return Settled.WRITTEN;
        }
        return queue.settle(job, outcome);
    }

    private static Outcome outcome(Ending ending, Job job) {
        return switch (ending) {
            case DONE -> QueueFixtures.done(job, 2);
            case FAILED_FOR_NOW -> failed(true);
            case FAILED_FOR_GOOD -> failed(false);
            case CANCELLED -> new Outcome.Cancelled(Optional.of(QueueFixtures.usage(0)));
            case HANDED_BACK -> new Outcome.HandedBack(Optional.of(QueueFixtures.usage(0)));
        };
    }

    private static Outcome failed(boolean retryable) {
        return new Outcome.Failed("a failure", retryable, Optional.of(UNTIL_WAIT), Optional.of(QueueFixtures.usage(0)));
    }

    private Answer progress(Move.Progress move) {
        queue.progress(cast.lastClaims(move.claims()).map(job -> QueueFixtures.tick(job, move.step(), 9)).toList());
        return Plain.NOTHING;
    }

    private Answer failUnoffered() {
        // All of them, as if they had been unoffered a moment ago and their workers had come since.
        return new Answer.Unoffered(queue.unoffered(), queue.failUnoffered(Set.copyOf(Cast.backends(Cast.ALL_ROUND))));
    }

    // What nobody's statement does in one go passes over rows that are held: players are not to lock each other out.

    private Answer die(int worker) throws SQLException {
        return operate("update imagen.workers set heartbeat_at = now() - interval '1 day' where id in "
                + "(select id from imagen.workers where name like 'worker " + worker + " %' for update skip locked)");
    }

    private Answer waitUntilDue() throws SQLException {
        return operate("update imagen.jobs set run_at = now() where id in "
                + "(select id from imagen.jobs where status = 'pending' and run_at > now() for update skip locked)");
    }

    private Answer operate(String sql) throws SQLException {
        try (var statement = operator.createStatement()) {
            statement.execute(sql);
        }
        return Plain.NOTHING;
    }
}
