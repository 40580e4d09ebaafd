package dev.imagen.worker;

import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.ProgressTick;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Writes how far the running jobs are: at most one statement a second however many there are, and none when nothing
 * moved. Jobs that end within the second write nothing.
 */
final class Progress {

    private static final System.Logger LOG = System.getLogger(Progress.class.getName());
    private static final Duration TICK = Duration.ofSeconds(1);

    private final JobQueue queue;
    private final RunningJobs running;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Map<RunningJob, Integer> written = new HashMap<>();

    Progress(JobQueue queue, RunningJobs running) {
        this.queue = queue;
        this.running = running;
    }

    void start() {
        Thread.ofVirtual().name("imagen-progress").start(this::writeUntilStopped);
    }

    void stop() {
        stopping.countDown();
    }

    private void writeUntilStopped() {
        try {
            while (!stopping.await(TICK.toMillis(), TimeUnit.MILLISECONDS)) {
                write();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        try {
            written.keySet().retainAll(running.all());
            List<RunningJob> moved = running.all().stream().filter(job -> job.step() > written.getOrDefault(job, 0))
                    .toList();
            if (moved.isEmpty()) {
                return;
            }
            queue.progress(moved.stream().map(job -> new ProgressTick(job.job(), job.step(), job.steps())).toList());
            moved.forEach(job -> written.put(job, job.step()));
        } catch (RuntimeException | Error e) {
            LOG.log(Level.DEBUG, "progress was not written; the next tick has newer", e);
        }
    }
}
