package dev.imagen.pipeline;

import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import java.util.List;

/** Turns one claimed job into stored images. Called from virtual threads, several at once. */
public interface Pipeline {

    /**
     * Makes and stores the images of one attempt. Their rows are the caller's to write.
     *
     * @return the stored images in order; none is a failure, which the caller records
     * @throws JobFailedException when there is no image
     * @throws InterruptedException when the thread was interrupted; a remote store may have got the bytes all the same
     */
    List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException;

    /** Removes stored images whose rows were refused. Never throws. */
    void discard(List<NewImage> images);
}
