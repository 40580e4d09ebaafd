package dev.imagen.testing;

import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import dev.imagen.pipeline.Attempt;
import dev.imagen.pipeline.Pipeline;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** The real pipeline, before which a test may hold a job, let it fail or tell its progress. */
public final class GatedPipeline implements Pipeline {

    /** What happens before the picture is made. */
    @FunctionalInterface
    public interface Gate {
        /** Returns to let the job go on. */
        void pass(Job job, Attempt attempt) throws JobFailedException, InterruptedException;
    }

    private final Pipeline real;
    private final BlockingQueue<Job> started = new LinkedBlockingQueue<>();
    private volatile Gate gate = (_, _) -> {};

    GatedPipeline(Pipeline real) {
        this.real = real;
    }

    /** From now on every job has to pass this. */
    public void gate(Gate next) {
        gate = next;
    }

    /** Every job from now on runs until it is stopped. */
    public void holdAll() {
        gate = (_, _) -> new CountDownLatch(1).await();
    }

    /** Every job from now on fails at once and for good. */
    public void failAll(String error) {
        gate = (_, _) -> {
            throw JobFailedException.permanent(error);
        };
    }

    /** Waits for the next job that reaches the gate. */
    public Job awaitStarted() {
        return Await.next(started, "the start of a job");
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException {
        // Before the test hears of it: it may set another gate for the next job then.
        var current = gate;
        started.add(job);
        current.pass(job, attempt);
        return real.run(job, attempt);
    }

    @Override
    public void discard(List<NewImage> images) {
        real.discard(images);
    }
}
