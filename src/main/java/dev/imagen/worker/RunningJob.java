package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.Usage;
import dev.imagen.pipeline.Attempt;
import dev.imagen.queue.JobQueue.ProgressTick;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** One attempt in this process. Whoever comes first, the pipeline or a stop, decides its end; the other is ignored. */
final class RunningJob implements Attempt {

    /** How the race ended. */
    sealed interface End {
        record Returned(List<NewImage> images) implements End {}

        record Threw(Throwable failure) implements End {}

        record Stopped(StopReason reason) implements End {}
    }

    private record Call(String backend, String model, long startNanos) {}

    private record Reached(int step, int steps, long nanos) {}

    private final Job job;
    private final LiveProgress live;
    private final long startNanos = System.nanoTime();
    private final CompletableFuture<End> end = new CompletableFuture<>();
    private volatile Thread pipeline;
    private volatile Call call;
    private volatile Metered metered = Metered.NOTHING;
    private volatile Reached reached = new Reached(0, 0, startNanos);
    private volatile boolean watchedElsewhere;
    private volatile boolean lost;

    RunningJob(Job job, LiveProgress live) {
        this.job = job;
        this.live = live;
    }

    Job job() {
        return job;
    }

    /** The backend that the claim resolved. */
    String backend() {
        return job.request().backend().orElse("");
    }

    CompletableFuture<End> end() {
        return end;
    }

    boolean ended() {
        return end.isDone();
    }

    /** Starts the pipeline's thread, unless the attempt has ended already. */
    void start(Runnable work) {
        pipeline = Thread.ofVirtual().name("imagen-job-" + job.id()).unstarted(work);
        if (end.isDone()) {
            return;
        }
        pipeline.start();
        if (end.isDone()) {
            // A stop between the two saw no thread that it could interrupt.
            pipeline.interrupt();
        }
    }

    /**
     * Ends the attempt unless it has ended; the pipeline's thread is interrupted and no longer waited for.
     *
     * @return whether this ended it
     */
    boolean stop(StopReason reason) {
        boolean ended = end.complete(new End.Stopped(reason));
        if (ended && pipeline != null) {
            pipeline.interrupt();
        }
        return ended;
    }

    @Override
    public void calls(String backend, String model) {
        call = new Call(backend, model, System.nanoTime());
    }

    @Override
    public void metered(Metered used) {
        metered = used;
    }

    @Override
    public void finished(int step, int steps) {
        reached = new Reached(step, steps, System.nanoTime());
        live.moved(this);
    }

    @Override
    public void preview(byte[] picture) {
        live.sent(this, picture);
    }

    @Override
    public boolean previewWanted() {
        return live.wanted(this);
    }

    /** Steps finished; 0 before the first. */
    int step() {
        return reached.step();
    }

    /** How far it is now. */
    ProgressTick tick(Optional<byte[]> preview) {
        var now = reached;
        return new ProgressTick(job, now.step(), now.steps(), Duration.ofNanos(now.nanos() - startNanos),
                Duration.ofNanos(System.nanoTime() - now.nanos()), preview);
    }

    /** Its progress stands in the database. */
    void written(boolean watched) {
        watchedElsewhere = watched;
        lost = false;
    }

    /** The database did not take its progress: it is no longer ours, or has another owner. */
    void refused() {
        watchedElsewhere = false;
        lost = true;
    }

    /** Whether somebody in another process wants its previews. */
    boolean watchedElsewhere() {
        return watchedElsewhere;
    }

    /** Whether nobody may be told of it any more. */
    boolean lost() {
        return lost;
    }

    /** Time since the attempt began in this process. */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    /** What the attempt has cost, if it reached a backend. */
    Optional<Usage> usage(List<NewImage> images) {
        return Optional.ofNullable(call).map(made -> Usage.of(made.backend(), made.model(), images,
                Duration.ofNanos(System.nanoTime() - made.startNanos()), metered));
    }
}
