package dev.imagen.queue;

import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.ProgressTick;

/**
 * Those in the process of a running job who watch it: they hear of its progress sooner than the database could tell
 * them. Must not block or throw.
 */
public interface ProgressListener {

    /** There are none. */
    ProgressListener NOBODY = new ProgressListener() {
        @Override
        public boolean watches(Job job) {
            return false;
        }

        @Override
        public void progressed(ProgressTick tick) {
            // Nobody watches.
        }
    };

    /** Whether anybody watches this job; asked at each of its steps. */
    boolean watches(Job job);

    /** Told of watched jobs alone, at most four times a second each; may repeat a step. */
    void progressed(ProgressTick tick);
}
