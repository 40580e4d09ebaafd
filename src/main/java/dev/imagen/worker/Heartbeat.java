package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Keeps the lease. It counts from when the last successful renewal was <em>sent</em>, on the monotonic clock, and stops
 * this process's jobs before the database's clock could let anyone rescue them.
 */
final class Heartbeat {

    private static final System.Logger LOG = System.getLogger(Heartbeat.class.getName());

    /** Hears what a renewal brought; must not block. */
    interface Listener {
        /** This process may claim again. */
        void registered();

        /** The lease of another worker ends then, of whichever first; empty: there is no other. */
        void leaseEndsIn(Optional<Duration> left);
    }

    /** A renewal that hangs on a dead connection does not keep the next from trying another. */
    private static final int RENEWALS_AT_ONCE = 3;

    /** A database that comes back is soon used again; one dead connection after the other is soon found out. */
    private static final Duration AGAIN = Duration.ofMillis(500);

    private final JobQueue queue;
    private final WorkerSettings settings;
    private final RunningJobs running;
    private final List<String> backends;
    private final Listener listener;
    private final Semaphore renewals = new Semaphore(RENEWALS_AT_ONCE);
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile WorkerIdentity identity;
    private volatile long renewedNanos = System.nanoTime();
    private volatile boolean held;
    private volatile boolean answered = true;
    private volatile long beatNanos = System.nanoTime();

    Heartbeat(JobQueue queue, WorkerSettings settings, RunningJobs running, List<String> backends, Listener listener) {
        this.queue = queue;
        this.settings = settings;
        this.running = running;
        this.backends = backends;
        this.listener = listener;
        this.identity = newIdentity();
    }

    /** The host's name is for people; a uuid for each registration tells one life of a process from the next. */
    private WorkerIdentity newIdentity() {
        return new WorkerIdentity(UUID.randomUUID(), HostName.worker(), backends);
    }

    /** Who this process is at the moment. */
    WorkerIdentity identity() {
        return identity;
    }

    /** Whether jobs may be claimed and run. */
    boolean held() {
        return held && sinceRenewal().compareTo(settings.selfStop()) < 0;
    }

    /** Whether this is the identity that holds the lease now. */
    synchronized boolean holds(UUID id) {
        return id.equals(identity.id()) && held();
    }

    /** Renews now, to learn what the rows say about cancels; does nothing where renewals are under way already. */
    void renewNow() {
        if (renewals.tryAcquire()) {
            Thread.ofPlatform().daemon().name("imagen-renewal").start(this::renewOnce);
        }
    }

    /** Time since the loop last turned. */
    Duration sinceBeat() {
        return Duration.ofNanos(System.nanoTime() - beatNanos);
    }

    void start() {
        // A thread of the system's: pictures that are computed here can keep every carrier of virtual threads busy.
        Thread.ofPlatform().daemon().name("imagen-heartbeat").start(this::beatUntilStopped);
    }

    /** Ends the heartbeat; after the last job has ended. */
    void stop() {
        stopping.countDown();
    }

    private void beatUntilStopped() {
        try {
            do {
                beat();
            } while (!stopping.await(untilNextBeat().toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void beat() {
        beatNanos = System.nanoTime();
        try {
            renewNow();
            stopJobsOfLostLease();
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "a heartbeat failed; the next one follows", e);
        }
    }

    private void renewOnce() {
        try {
            if (held) {
                renew(identity.id());
            } else {
                register();
            }
            answered = true;
        } catch (RuntimeException | Error e) {
            answered = false;
            LOG.log(Level.WARNING, "the heartbeat got no answer: {0}", e.toString());
        } finally {
            renewals.release();
        }
    }

    private void renew(UUID id) {
        long sent = System.nanoTime();
        var renewal = queue.renew(id);
        if (renewal.alive()) {
            renewed(id, sent);
            running.stop(renewal.cancels(), StopReason.CANCEL);
            listener.leaseEndsIn(renewal.nextExpiry());
        } else {
            lost(id);
        }
    }

    private void register() {
        var next = newIdentity();
        long sent = System.nanoTime();
        queue.register(next);
        registered(next, sent);
    }

    private synchronized void registered(WorkerIdentity next, long sent) {
        if (!held) {
            identity = next;
            renewedNanos = sent;
            held = true;
            listener.registered();
        }
    }

    private synchronized void renewed(UUID id, long sent) {
        // An answer may overtake a later one, or belong to an identity that is gone.
        if (id.equals(identity.id()) && held) {
            boolean late = !held();
            renewedNanos = Math.max(renewedNanos, sent);
            if (late && held()) {
                listener.registered();
            }
        }
    }

    private synchronized void lost(UUID id) {
        if (id.equals(identity.id()) && held) {
            held = false;
            LOG.log(Level.WARNING, "the lease of worker {0} ran out: its jobs stop and it registers anew", id);
            running.stopAll(StopReason.LEASE_LOST);
        }
    }

    private void stopJobsOfLostLease() {
        if (held && sinceRenewal().compareTo(settings.selfStop()) >= 0) {
            int stopped = running.stopAll(StopReason.LEASE_LOST);
            if (stopped > 0) {
                LOG.log(Level.WARNING, "no renewal for {0}: stopped {1} jobs before anyone may rescue them",
                        sinceRenewal(), stopped);
            }
        }
    }

    private Duration untilNextBeat() {
        if (!held || !answered) {
            return AGAIN;
        }
        var untilSelfStop = settings.selfStop().minus(sinceRenewal());
        return untilSelfStop.isPositive() && untilSelfStop.compareTo(settings.renewal()) < 0
                ? untilSelfStop
                : settings.renewal();
    }

    private Duration sinceRenewal() {
        return Duration.ofNanos(System.nanoTime() - renewedNanos);
    }
}
