package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.trace.Spans;
import io.opentelemetry.api.trace.SpanKind;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Writes how attempts ended, whatever happens: those with images together, the others one by one. */
final class Recorder {

    private static final System.Logger LOG = System.getLogger(Recorder.class.getName());

    /** The record has its own time: the job's may be up, and the database may just be restarting. */
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration FIRST_RETRY = Duration.ofMillis(50);
    private static final Duration LAST_RETRY = Duration.ofSeconds(2);

    /**
     * With those of {@link SharedFinish} fewer than the worker has connections: thousands of jobs that end at once must
     * not cost the lease.
     */
    private static final int AT_ONCE = 2;

    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final JobQueue queue;
    private final SharedFinish shared;

    Recorder(JobQueue queue) {
        this.queue = queue;
        this.shared = new SharedFinish(queue);
    }

    /** Empty where the database did not answer in time: then nobody knows, and files stay. */
    Optional<Settled> record(Job job, Outcome outcome) {
        var span = Spans.begin("imagen.finish", SpanKind.INTERNAL);
        try {
            var settled = togetherOrAlone(job, outcome);
            span.setAttribute("imagen.recorded", settled.map(Settled::name).orElse("UNKNOWN").toLowerCase(Locale.ROOT));
            return settled;
        } finally {
            span.end();
        }
    }

    private Optional<Settled> togetherOrAlone(Job job, Outcome outcome) {
        if (outcome instanceof Outcome.Done done && shared.wrote(new JobQueue.Finish(job, done))) {
            return Optional.of(Settled.WRITTEN);
        }
        // The wait for its turn is no silence of the database.
        turns.acquireUninterruptibly();
        try {
            return settle(job, outcome);
        } finally {
            turns.release();
        }
    }

    private Optional<Settled> settle(Job job, Outcome outcome) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        for (Duration retry = FIRST_RETRY;; retry = min(retry.multipliedBy(2), LAST_RETRY)) {
            try {
                return Optional.of(queue.settle(job, outcome));
            } catch (RuntimeException e) {
                if (System.nanoTime() + retry.toNanos() > deadline) {
                    LOG.log(Level.ERROR, "job {0} attempt {1}: its outcome could not be recorded: {2}", job.id(),
                            job.attempt(), e.getMessage());
                    return Optional.empty();
                }
                LOG.log(Level.WARNING, "job {0} attempt {1}: recording its outcome again: {2}", job.id(), job.attempt(),
                        e.getMessage());
                if (!pause(retry)) {
                    return Optional.empty();
                }
            }
        }
    }

    /** @return false when the thread was interrupted */
    private static boolean pause(Duration upTo) {
        try {
            TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(upTo.toMillis() / 2, upTo.toMillis() + 1));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
