package dev.imagen.pipeline;

import dev.imagen.backend.Progress;

/**
 * The progress of one call as that of all the pictures of a job.
 *
 * @param before pictures of earlier calls
 * @param asked pictures of this call
 * @param all pictures of the job
 */
record PartProgress(Progress whole, int before, int asked, int all) implements Progress {

    @Override
    public void finished(int step, int steps) {
        whole.finished(before * steps + asked * step, all * steps);
    }

    @Override
    public void preview(byte[] picture) {
        whole.preview(picture);
    }

    @Override
    public boolean previewWanted() {
        return whole.previewWanted();
    }
}
