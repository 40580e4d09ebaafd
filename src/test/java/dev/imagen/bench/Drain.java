package dev.imagen.bench;

import dev.imagen.job.Job;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How fast one worker takes the first {@code jobs} of what is pending: from the start of the first attempt to the
 * record of the last one. Attempts after those wait until it is over.
 */
final class Drain {

    private final BenchDatabase database;
    private final int jobs;
    private final AtomicInteger started = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile long begun;
    private volatile ProcessorTime before;

    Drain(BenchDatabase database, int jobs) {
        this.database = database;
        this.jobs = jobs;
    }

    void measure(Map<String, String> settings) throws Exception {
        long done = done();
        long half;
        long end;
        try (var system = BenchSystem.start(database.settings(settings), database.service(), database.owner(),
                Optional.of(new InstantPipeline(this::started)))) {
            system.startWorker();
            system.awaitFinished(jobs / 2);
            half = System.nanoTime();
            system.awaitFinished(jobs - jobs / 2);
            end = System.nanoTime();
            before.printSince(jobs);
            over.countDown();
        }
        if (done() < done + jobs) {
            throw new IllegalStateException((done() - done) + " jobs are done, of " + jobs);
        }
        Sample.of("drain", jobs * 1e9 / (end - begun), "jobs/s", "").print();
        Sample.of("drain_second_half", (jobs - jobs / 2) * 1e9 / (end - half), "jobs/s", "").print();
        Sample.of("worker_peak_rss", ProcessorTime.peakMemory(), "MiB", "").print();
    }

    private long done() throws Exception {
        return database.one("select count(*) from imagen.images where job_id is not null");
    }

    private void started(Job job) throws InterruptedException {
        int nth = started.incrementAndGet();
        if (nth == 1) {
            begun = System.nanoTime();
            before = now();
        }
        if (nth > jobs) {
            over.await();
        }
    }

    private static ProcessorTime now() {
        try {
            return ProcessorTime.now();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
