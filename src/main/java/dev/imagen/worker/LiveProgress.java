package dev.imagen.worker;

import dev.imagen.image.Preview;
import dev.imagen.queue.ProgressListener;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells those who watch in this process how far the jobs are, at most four times a second each, and makes the previews,
 * for them and for other processes. One thread does it for all jobs, so that no backend waits and no more than one
 * processor is busy: where there is more to do, previews come less often. A preview that nobody would see is not made.
 */
final class LiveProgress {

    private static final System.Logger LOG = System.getLogger(LiveProgress.class.getName());

    private static final Duration FOREVER = Duration.ofDays(1);

    /** As engines sent them. */
    private static final long MOST_SENT = 32L * 1024 * 1024;

    /** For other processes, in one statement a second. */
    private static final long MOST_MADE = 4L * 1024 * 1024;

    /** The time between two rounds. */
    @FunctionalInterface
    interface Pause {
        void take() throws InterruptedException;
    }

    private final Pause pause;
    private final PictureBuffer sent = new PictureBuffer(MOST_SENT);
    private final PictureBuffer made = new PictureBuffer(MOST_MADE);
    private final Set<RunningJob> moved = ConcurrentHashMap.newKeySet();
    private final Wakeup wakeup = new Wakeup();
    private volatile ProgressListener listener = ProgressListener.NOBODY;
    private volatile Thread loop;

    LiveProgress(Pause pause) {
        this.pause = pause;
    }

    void start(ProgressListener watching) {
        listener = watching;
        // A thread of the system's: it computes, which would keep a carrier of virtual threads busy.
        loop = Thread.ofPlatform().daemon().name("imagen-previews").start(this::tellUntilStopped);
    }

    void stop() {
        if (loop != null) {
            loop.interrupt();
        }
    }

    /** A job has finished a step. */
    void moved(RunningJob job) {
        if (wanted(job)) {
            look(job);
        }
    }

    /** An engine sent a preview; it is looked at later, unless a newer one has come by then. */
    void sent(RunningJob job, byte[] picture) {
        if (wanted(job) && picture.length <= Preview.MOST_SENT && sent.put(job, picture) && job.step() > 0) {
            look(job);
        }
    }

    /** Whether somebody would see a preview of this job, here or in another process. */
    boolean wanted(RunningJob job) {
        return job.watchedElsewhere() || watchedHere(job);
    }

    private boolean watchedHere(RunningJob job) {
        return !job.lost() && listener.watches(job.job());
    }

    private void look(RunningJob job) {
        moved.add(job);
        wakeup.signal();
    }

    /** The previews that other processes are to see, of each job the newest; those made next are for the next call. */
    Map<RunningJob, byte[]> takeMade() {
        var previews = made.takeAll();
        // They wait until there is room.
        sent.jobs().forEach(this::look);
        return previews;
    }

    /** A job has ended. */
    void forget(RunningJob job) {
        moved.remove(job);
        sent.take(job);
        made.take(job);
    }

    private void tellUntilStopped() {
        try {
            while (true) {
                wakeup.await(FOREVER);
                wakeup.take();
                round();
                pause.take();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void round() {
        try {
            var jobs = new HashSet<>(moved);
            moved.removeAll(jobs);
            var pictured = sent.jobs().stream().filter(jobs::contains).toList();
            // Steps need not wait for pictures.
            pictured.forEach(jobs::remove);
            jobs.forEach(job -> tell(job, Optional.empty()));
            show(pictured);
        } catch (RuntimeException | Error e) {
            LOG.log(Level.WARNING, "progress was not told; the next has newer", e);
        }
    }

    private void show(List<RunningJob> jobs) {
        for (RunningJob job : jobs) {
            if (job.ended()) {
                forget(job);
            } else if (job.step() > 0 && (watchedHere(job) || roomElsewhere(job))) {
                var preview = sent.take(job).flatMap(Preview::of);
                if (job.watchedElsewhere()) {
                    preview.ifPresent(jpeg -> made.put(job, jpeg));
                }
                tell(job, preview);
            }
        }
    }

    /** One a job and second, and no more than the statement may have. */
    private boolean roomElsewhere(RunningJob job) {
        return job.watchedElsewhere() && !made.has(job) && made.fits(Preview.MOST_BYTES);
    }

    private void tell(RunningJob job, Optional<byte[]> preview) {
        if (job.step() > 0 && !job.ended() && watchedHere(job)) {
            listener.progressed(job.tick(preview));
        }
    }
}
