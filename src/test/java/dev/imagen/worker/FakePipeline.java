package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import dev.imagen.pipeline.Attempt;
import dev.imagen.pipeline.Pipeline;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A pipeline whose work a test decides. */
final class FakePipeline implements Pipeline {

    @FunctionalInterface
    interface Work {
        List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException;
    }

    private volatile Work work;
    final BlockingQueue<Job> started = new LinkedBlockingQueue<>();
    final BlockingQueue<Job> interrupted = new LinkedBlockingQueue<>();
    final BlockingQueue<List<NewImage>> discarded = new LinkedBlockingQueue<>();

    FakePipeline(Work work) {
        this.work = work;
    }

    static FakePipeline instant() {
        return new FakePipeline((_, attempt) -> {
            attempt.calls("mock", "mock-landscape");
            return List.of(image());
        });
    }

    /** From now on each job waits until the latch is down, or it is stopped. */
    CountDownLatch hold() {
        var release = new CountDownLatch(1);
        work((_, _) -> {
            release.await();
            return List.of(image());
        });
        return release;
    }

    void work(Work next) {
        work = next;
    }

    static NewImage image() {
        return new NewImage(UUID.randomUUID(), "file", "o/2026/11/j-1.png", "image/png", 512, 512, 4, new byte[32],
                "mock", "mock-landscape", "a test", Optional.empty(), Optional.empty(), Optional.of(1L),
                Optional.of(20));
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException {
        started.add(job);
        try {
            return work.run(job, attempt);
        } catch (InterruptedException e) {
            interrupted.add(job);
            throw e;
        }
    }

    @Override
    public void discard(List<NewImage> images) {
        discarded.add(images);
    }

    static <T> T await(BlockingQueue<T> queue, String what) throws InterruptedException {
        var next = queue.poll(10, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError(what + " did not happen within 10 s");
        }
        return next;
    }
}
