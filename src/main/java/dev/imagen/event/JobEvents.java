package dev.imagen.event;

import dev.imagen.database.Notifications;
import dev.imagen.job.Job;
import dev.imagen.queue.JobListener;
import dev.imagen.queue.JobQueue.ProgressTick;
import dev.imagen.queue.ProgressListener;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells watchers what became of jobs, whichever replica ran them. A notification only says which rows to read: changed
 * rows are read once, in one statement for all watchers, and so are all watched rows after a reconnect. One thread does
 * it for the whole process. What this process itself runs, it also hears of directly, from the worker.
 */
public final class JobEvents implements ProgressListener, AutoCloseable {

    private static final System.Logger LOG = System.getLogger(JobEvents.class.getName());
    private static final String CHANNEL = "imagen_job_events";
    private static final Duration TICK = Duration.ofSeconds(1);

    private final WatchedJobs rows;
    private final boolean listening;
    private final Watchers watchers = new Watchers();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition news = lock.newCondition();
    private Set<UUID> changed = new HashSet<>();
    private boolean readAll;
    private boolean closed;
    /** What happened before this moment has been read. */
    private long settledNanos = System.nanoTime();

    /**
     * @param notifications subscribed to here; to be started by the caller
     * @param listening false: watched rows are read every second instead
     */
    public JobEvents(WatchedJobs rows, Notifications notifications, boolean listening) {
        this.rows = rows;
        this.listening = listening;
        notifications.subscribe(CHANNEL, new Notifications.Subscriber() {
            @Override
            public void connected(Duration silence) {
                signal(() -> {
                    readAll = true;
                    settledNanos = Math.min(settledNanos, System.nanoTime() - silence.toNanos());
                });
            }

            @Override
            public void received(String payload) {
                var ids = JobListener.ids(payload);
                ids.removeIf(id -> !watchers.mayWatch(id));
                if (!ids.isEmpty()) {
                    signal(() -> changed.addAll(ids));
                }
            }
        });
    }

    /** Begins to serve watchers, on a virtual thread. */
    public void start() {
        Thread.ofVirtual().name("imagen-events").start(this::serveUntilClosed);
    }

    /** Watches one job until the returned handle is closed. Read the job after this, or a change may be missed. */
    public Watch watchJob(UUID job, Watcher watcher) {
        watchers.addJob(job, watcher);
        endIfClosed(watcher);
        return () -> watchers.removeJob(job, watcher);
    }

    /** Watches an owner's jobs until the returned handle is closed. Read them after this. */
    public Watch watchOwner(UUID owner, Watcher watcher) {
        watchers.addOwner(owner, watcher);
        endIfClosed(watcher);
        return () -> watchers.removeOwner(owner, watcher);
    }

    /** A request may still come while the process stops: nobody would tell its watcher. */
    private void endIfClosed(Watcher watcher) {
        lock.lock();
        try {
            if (closed) {
                watcher.closed();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends a watch. */
    @FunctionalInterface
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    /** Streams open now. */
    public int watching() {
        return watchers.count();
    }

    private void signal(Runnable change) {
        lock.lock();
        try {
            change.run();
            news.signal();
        } finally {
            lock.unlock();
        }
    }

    private void serveUntilClosed() {
        long nextTick = System.nanoTime() + TICK.toNanos();
        while (awaitNews(nextTick)) {
            try {
                boolean ticks = System.nanoTime() - nextTick >= 0;
                read(takeNews(ticks && !listening));
                if (ticks) {
                    nextTick = System.nanoTime() + TICK.toNanos();
                    tellProgress();
                }
            } catch (RuntimeException | Error e) {
                LOG.log(Level.WARNING, "watched jobs could not be read, trying again: {0}", e.toString());
                signal(() -> readAll = true);
                pause();
            }
        }
    }

    /** @return false when closed */
    private boolean awaitNews(long until) {
        lock.lock();
        try {
            long left = until - System.nanoTime();
            while (!closed && changed.isEmpty() && !readAll && left > 0) {
                left = news.awaitNanos(left);
            }
            return !closed;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(TICK.toMillis() / 2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @param unseen how far back changes may be unread; only with {@code all} */
    private record News(Set<UUID> ids, boolean all, Duration unseen, long takenNanos) {}

    private News takeNews(boolean all) {
        lock.lock();
        try {
            long now = System.nanoTime();
            var taken = new News(changed, readAll || all, Duration.ofNanos(now - settledNanos), now);
            changed = new HashSet<>();
            readAll = false;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    private void read(News taken) {
        if (!watchers.none()) {
            if (taken.all()) {
                rows.all(watchers.jobs(), watchers.owners(), taken.unseen()).forEach(this::tell);
            } else if (!taken.ids().isEmpty()) {
                rows.these(taken.ids()).forEach(this::tell);
            }
        }
        signal(() -> settledNanos = readAll ? settledNanos : taken.takenNanos());
    }

    private void tell(Job job) {
        watchers.tell(job.id(), job.ownerUserId(), watcher -> watcher.changed(job));
    }

    void tellProgress() {
        var jobs = watchers.jobsInProgress();
        var owners = watchers.ownersInProgress();
        if (!jobs.isEmpty() || !owners.isEmpty()) {
            rows.progress(jobs, owners).forEach(this::tell);
        }
    }

    private void tell(JobProgress progress) {
        watchers.tell(progress.jobId(), progress.ownerUserId(), watcher -> watcher.progressed(progress));
    }

    @Override
    public boolean watches(Job job) {
        return watchers.watchProgress(job.id(), job.ownerUserId());
    }

    @Override
    public void progressed(ProgressTick tick) {
        var job = tick.job();
        tell(new JobProgress(job.id(), job.ownerUserId(), job.attempt(), tick.step(), tick.steps(), tick.eta(),
                tick.preview()));
    }

    /** Ends all streams. */
    @Override
    public void close() {
        signal(() -> closed = true);
        watchers.tellAll(Watcher::closed);
    }
}
