package dev.imagen.queue;

import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The queue as a worker sees it. Every write about a running job is fenced by its worker and attempt and is one atomic
 * statement by the database's clock. Any method may throw a RuntimeException when the database does not answer: then it
 * is not known whether the write happened.
 */
public interface JobQueue {

    /**
     * A process that works on the queue.
     *
     * @param id new at each start, and after a lost lease
     * @param name for people: where it runs
     * @param backends what it offers, the default first
     */
    record WorkerIdentity(UUID id, String name, List<String> backends) {
        /** The backend of jobs that name none. */
        public String defaultBackend() {
            return backends.getFirst();
        }
    }

    /**
     * A backend that a claim may take jobs of.
     *
     * @param free how many more this process has slots for, at least 1
     * @param concurrency how many may run at once over all processes; empty: any number
     */
    record Offer(String backend, int free, Optional<Integer> concurrency) {}

    /**
     * @param alive false: the lease was lost and the jobs may be running elsewhere
     * @param cancels running jobs of this worker that somebody asked to stop, with the attempt that is to stop
     * @param nextExpiry how long until the lease of another worker ends, of whichever first, by the database's clock;
     *     zero or less: it has ended, empty: there is no other worker
     */
    record Renewal(boolean alive, Map<UUID, Integer> cancels, Optional<Duration> nextExpiry) {}

    /**
     * How far a running job is.
     *
     * @param step steps finished, of {@code steps}
     * @param took from the attempt's start to the end of that step
     * @param age time since then
     * @param preview a JPEG of at most 64 KiB; empty: there is no new one
     */
    record ProgressTick(Job job, int step, int steps, Duration took, Duration age, Optional<byte[]> preview) {
        /**
         * Estimated time to the last step, from the steps so far; zero before the first. Once the step under way takes
         * longer than they did, it counts too.
         */
        public Duration eta() {
            int left = steps - step;
            if (step == 0 || left <= 0) {
                return Duration.ZERO;
            }
            var soFar = took.multipliedBy(left).dividedBy(step).minus(age);
            var slower = took.plus(age).multipliedBy(left - 1).dividedBy(step + 1);
            return soFar.compareTo(slower) > 0 ? soFar : slower;
        }
    }

    /** An attempt that made its images. */
    record Finish(Job job, Outcome.Done done) {}

    /** What became of a write. */
    enum Settled {
        /** It stands in the database, by this call or by an earlier one whose answer was lost. */
        WRITTEN,
        /** The job is no longer ours. */
        REFUSED
    }

    /** Enters a worker, alive from now on. */
    void register(WorkerIdentity worker);

    /** Renews the lease on all its jobs, unless it has run out. */
    Renewal renew(UUID worker);

    /** Takes a worker off the list. */
    void leave(UUID worker);

    /** Claims up to {@code limit} due jobs of the offered backends: highest priority first, then oldest. */
    List<Job> claim(WorkerIdentity worker, List<Offer> offers, int limit);

    /** How long until the next pending job of these backends is due; zero if one is already, empty if none waits. */
    Optional<Duration> untilNextDue(WorkerIdentity worker, List<Offer> offers);

    /** Records how an attempt ended; may be repeated until it answers. */
    Settled settle(Job job, Outcome outcome);

    /**
     * Records many attempts that made their images, in one statement.
     *
     * @return the jobs that this call wrote; {@link #settle} tells of each of the others: it is no longer ours, it
     * stands already, or another transaction holds its row
     */
    Set<UUID> finish(List<Finish> ended);

    /**
     * Writes progress of running jobs, in one statement; of jobs that are no longer ours or their owner's, nothing.
     *
     * @return of each job that was written, whether somebody in another process wants its previews
     */
    Map<UUID, Boolean> progress(Collection<ProgressTick> ticks);

    /** Takes back some jobs of dead workers; call again until it returns 0. @return how many */
    int rescue();

    /** Hands back what runs under this worker's id although the worker does not know of it. @return how many */
    int handBackUnknown(UUID worker, Collection<UUID> known);

    /** Backends of due jobs that no live worker offers. */
    Set<String> unoffered();

    /** Fails due jobs of these backends, unless a worker has come. @return how many */
    int failUnoffered(Set<String> backends);
}
