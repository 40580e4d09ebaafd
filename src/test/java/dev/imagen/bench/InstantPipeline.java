package dev.imagen.bench;

import dev.imagen.job.Job;
import dev.imagen.job.NewImage;
import dev.imagen.job.TimeOrderedId;
import dev.imagen.pipeline.Attempt;
import dev.imagen.pipeline.Pipeline;
import java.util.List;
import java.util.Optional;

/** A picture that is there at once and stored nowhere: what is left is the queue. */
record InstantPipeline(Start start) implements Pipeline {

    private static final String BACKEND = "mock";
    private static final int SIDE = 512;
    private static final byte[] SHA256 = new byte[32];

    /** Told of each attempt as it starts; may keep it waiting. */
    @FunctionalInterface
    interface Start {
        void at(Job job) throws InterruptedException;
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws InterruptedException {
        start.at(job);
        attempt.calls(BACKEND, BACKEND);
        return List.of(new NewImage(TimeOrderedId.next(), "file", job.id() + "-" + job.attempt() + ".png", "image/png",
                SIDE, SIDE, 1000, SHA256, BACKEND, BACKEND, job.request().prompt(), Optional.empty(), Optional.empty(),
                Optional.of(1L), Optional.empty()));
    }

    @Override
    public void discard(List<NewImage> images) {
        // Nothing is stored.
    }
}
