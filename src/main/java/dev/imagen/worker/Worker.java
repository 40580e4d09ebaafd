package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Job;
import dev.imagen.job.JobScope;
import dev.imagen.pipeline.Pipeline;
import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.ProgressListener;
import dev.imagen.trace.Tracing;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Claims jobs and runs them, each on virtual threads of its own. One loop does every claim: it sleeps until a
 * notification, the next due job, a free slot with more to claim, or the safety poll.
 */
public final class Worker {

    private static final System.Logger LOG = System.getLogger(Worker.class.getName());

    private static final Duration FIRST_RETRY = Duration.ofMillis(100);
    private static final Duration LAST_RETRY = Duration.ofSeconds(1);

    /** One try may wait for a connection, and then for an answer, beyond the record's own deadline. */
    private static final Duration LAST_RECORDS = Duration.ofSeconds(90);

    /** Of one job to those who watch it here. */
    private static final Duration BETWEEN_NEWS = Duration.ofMillis(250);

    private final JobQueue queue;
    private final WorkerSettings settings;
    private final WorkerListener listener;
    private final RunningJobs running = new RunningJobs();
    private final Slots slots;
    private final Wakeup wakeup = new Wakeup();
    private final JobRunner runner;
    private final Heartbeat heartbeat;
    private final Recovery recovery;
    private final Rescue rescue;
    private final LiveProgress live = new LiveProgress(() -> TimeUnit.MILLISECONDS.sleep(BETWEEN_NEWS.toMillis()));
    private final Progress progress;
    private volatile Tracing tracing = Tracing.OFF;
    private volatile Thread loop;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile boolean hungry;
    private volatile long turnedNanos = System.nanoTime();
    private final NextDue nextDue = new NextDue();

    /** @param backends names of the backends that the pipeline offers, the default first */
    public Worker(JobQueue queue, Pipeline pipeline, WorkerSettings settings, List<String> backends,
            WorkerListener listener) {
        this.queue = queue;
        this.settings = settings;
        this.listener = listener;
        this.slots = new Slots(settings, running);
        this.runner = new JobRunner(queue, pipeline, settings, listener);
        this.rescue = new Rescue(queue, settings, listener, this::holdsLease);
        this.heartbeat = new Heartbeat(queue, settings, running, backends, onRenewal());
        this.recovery = new Recovery(queue, settings);
        this.progress = new Progress(queue, running, live);
    }

    private boolean holdsLease() {
        return heartbeat.held();
    }

    private Heartbeat.Listener onRenewal() {
        return new Heartbeat.Listener() {
            @Override
            public void registered() {
                rescue.registered();
                wakeup.signal();
            }

            @Override
            public void leaseEndsIn(Optional<Duration> left) {
                rescue.leaseEndsIn(left);
            }
        };
    }

    /** Begins to work, while nobody in this process watches. */
    public void start() {
        start(ProgressListener.NOBODY, Tracing.OFF);
    }

    /** Begins to work; the database need not answer yet. */
    public void start(ProgressListener watching, Tracing traced) {
        tracing = traced;
        heartbeat.start();
        rescue.start();
        live.start(watching);
        progress.start();
        loop = Thread.ofVirtual().name("imagen-worker").start(this::claimUntilStopped);
    }

    /** There may be jobs to claim. */
    public void wake() {
        wakeup.signal();
    }

    /**
     * Somebody may have asked to stop some of these jobs. Whoever can connect to the database can notify: the rows tell
     * whether it is true.
     */
    public void cancelled(Collection<UUID> ids) {
        if (running.runsAny(ids)) {
            heartbeat.renewNow();
        }
    }

    /** Who runs them, until its lease is lost. */
    public UUID id() {
        return heartbeat.identity().id();
    }

    /** Jobs running here now. */
    public int inFlight() {
        return running.count();
    }

    /**
     * Time since the slower of the loops last turned; more than a few polls means that it hangs. Zero before they have
     * begun, however long the start waits for its database, and while stopping.
     */
    public Duration sinceLastTurn() {
        return loop == null || stopping
                ? Duration.ZERO
                : max(Duration.ofNanos(System.nanoTime() - turnedNanos), heartbeat.sinceBeat());
    }

    private void claimUntilStopped() {
        Duration retry = FIRST_RETRY;
        while (!stopping) {
            turnedNanos = System.nanoTime();
            try {
                Duration sleep = claimSome();
                retry = FIRST_RETRY;
                if (!stopping) {
                    wakeup.await(sleep);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException | Error e) {
                LOG.log(Level.WARNING, "the queue did not answer, asking again: {0}", e.toString());
                recovery.claimUnanswered();
                if (!pause(retry)) {
                    return;
                }
                retry = retry.compareTo(LAST_RETRY) < 0 ? retry.multipliedBy(2) : LAST_RETRY;
            }
        }
    }

    /** @return how long to sleep */
    private Duration claimSome() {
        // First: what is signalled from here on may come too late for the looks below.
        boolean signalled = wakeup.take();
        if (!heartbeat.held()) {
            return settings.poll();
        }
        recovery.runIfDue(heartbeat.identity().id(), running.ids());
        // Until all has been looked at: a slot that becomes free meanwhile may be one that was counted as taken.
        hungry = true;
        var offers = offers();
        if (offers.isEmpty()) {
            return longestSleep();
        }
        var sent = Instant.now();
        int asked = slots.free();
        var jobs = queue.claim(heartbeat.identity(), offers, asked);
        jobs.forEach(job -> begin(job, sent));
        var open = offers();
        if (jobs.size() == asked && !open.isEmpty()) {
            // Slots became free meanwhile, and there is likely more for them.
            nextDue.unknown();
            return Duration.ZERO;
        }
        var sleep = untilNextDue(open, signalled || !jobs.isEmpty());
        // A slot that becomes free is worth a look where one was missing, or where something due was not given to us.
        hungry = nextDue.overdue() || open.size() < heartbeat.identity().backends().size();
        return min(sleep, longestSleep());
    }

    private List<Offer> offers() {
        return slots.offers(heartbeat.identity().backends());
    }

    private Duration longestSleep() {
        return min(settings.poll(), recovery.untilDue());
    }

    private Duration untilNextDue(List<Offer> open, boolean changed) {
        if (open.isEmpty()) {
            nextDue.unknown();
            return settings.poll();
        }
        return nextDue.in(changed, () -> queue.untilNextDue(heartbeat.identity(), open));
    }

    private void begin(Job job, Instant sent) {
        var attempt = new RunningJob(job, live);
        running.add(attempt);
        if (!heartbeat.holds(job.workerId().orElseThrow())) {
            // The lease ran out before the claim answered: whoever stopped the running jobs did not see this one.
            attempt.stop(StopReason.LEASE_LOST);
        }
        listener.claimed(job);
        var span = JobSpan.begin(tracing, job, sent);
        Thread.ofVirtual().name("imagen-runner-" + job.id()).start(() -> JobScope.run(job, () -> {
            try (var _ = tracing.enter(span)) {
                runner.run(attempt);
            } catch (RuntimeException | Error e) {
                LOG.log(Level.ERROR, "job " + job.id() + ": its runner failed; the next recovery hands it back", e);
            } finally {
                span.end();
                running.remove(attempt);
                live.forget(attempt);
                if (hungry) {
                    wakeup.signal();
                }
            }
        }));
    }

    /** Waits, unless the worker stops; not for a signal: those may be many while the queue does not answer. */
    private boolean pause(Duration upTo) {
        try {
            long millis = upTo.toMillis() / 2 + ThreadLocalRandom.current().nextLong(upTo.toMillis() / 2 + 1);
            return !stopped.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static Duration max(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    /**
     * Stops: no more claims, then up to the grace for what runs, then the rest is handed back. The lease is kept until
     * the last outcome is recorded. A second call does nothing.
     */
    public synchronized void stop() {
        if (stopping || loop == null) {
            return;
        }
        stopping = true;
        stopped.countDown();
        rescue.stop();
        try {
            endLoop();
            if (!running.awaitNone(settings.grace().toMillis())) {
                LOG.log(Level.INFO, "the grace is over: handing back {0} jobs", running.count());
                running.stopAll(StopReason.SHUTDOWN);
                running.awaitNone(LAST_RECORDS.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            heartbeat.stop();
            progress.stop();
            live.stop();
            leave();
        }
    }

    /** A claim under way ends by itself and its jobs run: interrupting it could lose its answer. */
    private void endLoop() throws InterruptedException {
        wakeup.signal();
        loop.join(LAST_RECORDS);
    }

    private void leave() {
        try {
            queue.leave(heartbeat.identity().id());
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, "the worker's row stays until its lease runs out", e);
        }
    }
}
