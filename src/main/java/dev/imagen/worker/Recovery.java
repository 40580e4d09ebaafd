package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.queue.JobQueue;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What each worker does once a lease: hand back what a lost answer left in its own name, and fail jobs that nobody can
 * run. On the claiming loop, so no claim is under way meanwhile.
 */
final class Recovery {

    private static final System.Logger LOG = System.getLogger(Recovery.class.getName());

    private final JobQueue queue;
    private final WorkerSettings settings;
    private final Map<String, Long> unofferedSince = new HashMap<>();
    private long dueNanos = System.nanoTime();

    Recovery(JobQueue queue, WorkerSettings settings) {
        this.queue = queue;
        this.settings = settings;
    }

    /** How long until it is to run again. */
    Duration untilDue() {
        return Duration.ofNanos(Math.max(0, dueNanos - System.nanoTime()));
    }

    /** A claim ended in an exception: it may have happened all the same, so look before the next one. */
    void claimUnanswered() {
        dueNanos = System.nanoTime();
    }

    /** @param running every job of this worker whose outcome is not recorded yet */
    void runIfDue(UUID worker, Collection<UUID> running) {
        if (System.nanoTime() - dueNanos < 0) {
            return;
        }
        // Set first: a failure is logged and stops nothing.
        dueNanos = System.nanoTime() + settings.lease().toNanos();
        try {
            handBack(worker, running);
            failUnoffered();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "recovery got no answer, it runs again in {0}: {1}", settings.lease(),
                    e.getMessage());
        }
    }

    private void handBack(UUID worker, Collection<UUID> running) {
        int unknown = queue.handBackUnknown(worker, running);
        if (unknown > 0) {
            LOG.log(Level.WARNING, "handed back {0} jobs whose claim was never answered", unknown);
        }
    }

    /** The time counts from when this worker first saw nobody offer the backend: a deploy's gap fails nothing. */
    private void failUnoffered() {
        Set<String> unoffered = queue.unoffered();
        unofferedSince.keySet().retainAll(unoffered);
        unoffered.forEach(backend -> unofferedSince.putIfAbsent(backend, System.nanoTime()));
        var overdue = new HashSet<String>();
        unofferedSince.forEach((backend, since) -> {
            if (System.nanoTime() - since >= settings.unknown().toNanos()) {
                overdue.add(backend);
            }
        });
        unofferedSince.forEach((backend, since) -> {
            if (!overdue.contains(backend)) {
                // No later than its time is up, though the next lease may be far.
                dueNanos = Math.min(dueNanos, since + settings.unknown().toNanos());
            }
        });
        if (!overdue.isEmpty()) {
            int failed = queue.failUnoffered(overdue);
            LOG.log(Level.WARNING, "failed {0} jobs of backends that no live worker offers: {1}", failed, overdue);
        }
    }
}
