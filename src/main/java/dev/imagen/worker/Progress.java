package dev.imagen.worker;

import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.ProgressTick;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Writes how far the running jobs are: at most one statement a second however many there are, and none when nothing
 * moved. Jobs that end within the second write nothing. Previews are among it where another process wants them.
 */
final class Progress {

    private static final System.Logger LOG = System.getLogger(Progress.class.getName());
    private static final Duration TICK = Duration.ofSeconds(1);

    /** After a tick that told that another process has begun to watch: it waits for its first preview. */
    private static final Duration SOON = Duration.ofMillis(300);

    private final JobQueue queue;
    private final RunningJobs running;
    private final LiveProgress live;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Map<RunningJob, Integer> written = new HashMap<>();

    Progress(JobQueue queue, RunningJobs running, LiveProgress live) {
        this.queue = queue;
        this.running = running;
        this.live = live;
    }

    void start() {
        Thread.ofVirtual().name("imagen-progress").start(this::writeUntilStopped);
    }

    void stop() {
        stopping.countDown();
    }

    private void writeUntilStopped() {
        try {
            for (var next = TICK; !stopping.await(next.toMillis(), TimeUnit.MILLISECONDS);) {
                next = write() ? SOON : TICK;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether another process wants previews that did not before */
    boolean write() {
        try {
            written.keySet().retainAll(running.all());
            var previews = live.takeMade();
            var ticks = new HashMap<RunningJob, ProgressTick>();
            for (RunningJob job : running.all()) {
                if (previews.containsKey(job) || job.step() > written.getOrDefault(job, 0)) {
                    ticks.put(job, job.tick(Optional.ofNullable(previews.get(job))));
                }
            }
            return !ticks.isEmpty() && write(ticks);
        } catch (RuntimeException | Error e) {
            LOG.log(Level.DEBUG, "progress was not written; the next tick has newer", e);
            return false;
        }
    }

    private boolean write(Map<RunningJob, ProgressTick> ticks) {
        var taken = queue.progress(ticks.values());
        boolean news = false;
        for (var entry : ticks.entrySet()) {
            var job = entry.getKey();
            var wanted = Optional.ofNullable(taken.get(job.job().id()));
            news |= wanted.orElse(false) && !job.watchedElsewhere();
            written.put(job, entry.getValue().step());
            wanted.ifPresentOrElse(job::written, job::refused);
        }
        return news;
    }
}
