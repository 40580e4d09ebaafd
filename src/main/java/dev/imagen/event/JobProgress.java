package dev.imagen.event;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * How far a running job is.
 *
 * @param attempt the attempt that tells it
 * @param step steps finished
 * @param steps steps in all
 * @param eta estimated time to its last step, from the steps so far
 * @param preview how the picture looks, a JPEG of at most 64 KiB; empty: as before
 */
public record JobProgress(UUID jobId, UUID ownerUserId, int attempt, int step, int steps, Duration eta,
        Optional<byte[]> preview) {

    /** What is left to tell of the same job when this comes after it, untold: nothing old, and the newest preview. */
    public JobProgress after(JobProgress untold) {
        if (untold.attempt != attempt || !untold.ownerUserId.equals(ownerUserId)) {
            return untold.attempt > attempt ? untold : this;
        }
        if (untold.step > step) {
            // This one came the longer way.
            return untold;
        }
        return new JobProgress(jobId, ownerUserId, attempt, step, steps, eta, preview.or(untold::preview));
    }

    /** The same without its preview. */
    public JobProgress withoutPreview() {
        return new JobProgress(jobId, ownerUserId, attempt, step, steps, eta, Optional.empty());
    }
}
