package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.queue.JobQueue;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Takes back jobs of dead workers: at the start, once a lease, and as soon as the lease of another worker runs out,
 * which the renewals foretell.
 */
final class Rescue {

    private static final System.Logger LOG = System.getLogger(Rescue.class.getName());

    /** After the lease has run out by the database's clock, and not at the same moment in every process. */
    private static final Duration LEAST_DELAY = Duration.ofMillis(20);
    private static final Duration MOST_DELAY = Duration.ofMillis(300);

    /** After an outage, whoever still lives first hands back what it ran, which costs its jobs nothing. */
    private static final Duration AFTER_OUTAGE = Duration.ofSeconds(3);

    private final JobQueue queue;
    private final WorkerSettings settings;
    private final WorkerListener listener;
    private final BooleanSupplier held;
    private long dueNanos = System.nanoTime();
    private boolean registered;
    private boolean stopping;

    /** @param held whether this process holds its own lease: else the database was away, and others are no deader */
    Rescue(JobQueue queue, WorkerSettings settings, WorkerListener listener, BooleanSupplier held) {
        this.queue = queue;
        this.settings = settings;
        this.listener = listener;
        this.held = held;
    }

    void start() {
        Thread.ofVirtual().name("imagen-rescue").start(this::rescueUntilStopped);
    }

    synchronized void stop() {
        stopping = true;
        notifyAll();
    }

    /** This process holds a new lease: its first, or one after its last was lost. */
    synchronized void registered() {
        setDue(System.nanoTime() + (registered ? AFTER_OUTAGE.toNanos() : 0));
        registered = true;
    }

    /**
     * What the last renewal saw.
     *
     * @param left of the other worker whose lease ends first; zero or less: it has ended; empty: there is no other
     */
    synchronized void leaseEndsIn(Optional<Duration> left) {
        // A live worker has at least four fifths of its lease left, and another renewal tells before two are gone.
        if (left.isPresent() && left.get().compareTo(settings.renewal().multipliedBy(2)) < 0) {
            var delay = Duration
                    .ofMillis(ThreadLocalRandom.current().nextLong(LEAST_DELAY.toMillis(), MOST_DELAY.toMillis()));
            setDue(Math.min(dueNanos, System.nanoTime() + left.get().plus(delay).toNanos()));
        }
    }

    private synchronized void setDue(long nanos) {
        dueNanos = nanos;
        notifyAll();
    }

    private void rescueUntilStopped() {
        try {
            while (awaitDue()) {
                // Set first: what a renewal foretells meanwhile brings it forward again.
                setDue(System.nanoTime() + settings.lease().toNanos());
                if (held.getAsBoolean()) {
                    rescue();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return false when it is to stop */
    private synchronized boolean awaitDue() throws InterruptedException {
        for (long left = dueNanos - System.nanoTime(); left > 0 && !stopping; left = dueNanos - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return !stopping;
    }

    private void rescue() {
        try {
            for (int rescued = queue.rescue(); rescued > 0; rescued = queue.rescue()) {
                LOG.log(Level.WARNING, "rescued {0} jobs of dead workers", rescued);
                listener.rescued(rescued);
            }
        } catch (RuntimeException | Error e) {
            LOG.log(Level.WARNING, "the rescue got no answer, it tries again in {0}: {1}", settings.renewal(),
                    e.toString());
            setDue(System.nanoTime() + settings.renewal().toNanos());
        }
    }
}
