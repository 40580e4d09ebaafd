package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobScope;
import dev.imagen.job.Outcome;
import dev.imagen.pipeline.Pipeline;
import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.Settled;
import io.opentelemetry.context.Context;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Takes one claimed job to its end: the pipeline, then the record of how it went, whatever happens. */
final class JobRunner {

    private static final System.Logger LOG = System.getLogger(JobRunner.class.getName());

    static final String NO_IMAGE = "pipeline did not return an imagen.images id (cloud sync misconfigured?)";

    private final Recorder recorder;
    private final Pipeline pipeline;
    private final WorkerSettings settings;
    private final WorkerListener listener;

    JobRunner(JobQueue queue, Pipeline pipeline, WorkerSettings settings, WorkerListener listener) {
        this.recorder = new Recorder(queue);
        this.pipeline = pipeline;
        this.settings = settings;
        this.listener = listener;
    }

    /** Runs to the end; the calling thread is never interrupted by a stop. */
    void run(RunningJob running) {
        running.start(Context.current().wrap(() -> JobScope.run(running.job(), () -> runPipeline(running))));
        var outcome = outcome(running, await(running));
        JobSpan.ended(outcome);
        recorder.record(running.job(), outcome).ifPresent(settled -> {
            if (settled == Settled.WRITTEN) {
                listener.finished(running.job(), outcome, running.age());
            } else {
                refused(running.job(), outcome);
            }
        });
    }

    private void runPipeline(RunningJob running) {
        RunningJob.End end;
        try {
            end = new RunningJob.End.Returned(pipeline.run(running.job(), running));
        } catch (Throwable e) {
            end = new RunningJob.End.Threw(e);
        }
        if (!running.end().complete(end) && end instanceof RunningJob.End.Returned(var images)) {
            // It was stopped in the meantime: nobody will ever write rows for these.
            pipeline.discard(images);
        }
    }

    private RunningJob.End await(RunningJob running) {
        try {
            return running.end().get(settings.timeout(running.backend()).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            running.stop(StopReason.TIMEOUT);
        } catch (InterruptedException e) {
            running.stop(StopReason.SHUTDOWN);
        } catch (ExecutionException e) {
            throw new IllegalStateException("an attempt's end is a value", e);
        }
        return running.end().join();
    }

    private Outcome outcome(RunningJob running, RunningJob.End end) {
        return switch (end) {
            case RunningJob.End.Returned(var images) when images.isEmpty() ->
                new Outcome.Failed(NO_IMAGE, false, Optional.empty(), running.usage(List.of()));
            case RunningJob.End.Returned(var images) -> new Outcome.Done(images, running.usage(images));
            case RunningJob.End.Threw(var failure) -> failed(running, failure);
            case RunningJob.End.Stopped(var reason) -> stopped(running, reason);
        };
    }

    private Outcome failed(RunningJob running, Throwable failure) {
        var usage = running.usage(List.of());
        if (failure instanceof JobFailedException expected) {
            return new Outcome.Failed(expected.getMessage(), expected.retryable(), expected.retryAfter(), usage);
        }
        LOG.log(Level.ERROR, "job " + running.job().id() + ": the pipeline failed unexpectedly", failure);
        return new Outcome.Failed("internal error: " + failure, true, Optional.empty(), usage);
    }

    private Outcome stopped(RunningJob running, StopReason reason) {
        var usage = running.usage(List.of());
        return switch (reason) {
            case TIMEOUT -> new Outcome.Failed(timedOut(running.backend()), true, Optional.empty(), usage);
            case CANCEL -> new Outcome.Cancelled(usage);
            case LEASE_LOST, SHUTDOWN -> new Outcome.HandedBack(usage);
        };
    }

    private String timedOut(String backend) {
        var key = settings.backend(backend).timeout().isPresent()
                ? "backends." + backend + ".timeout"
                : "worker.timeout";
        return "timed out after " + settings.timeout(backend).toString().substring(2).toLowerCase() + " (" + key + ")";
    }

    private void refused(Job job, Outcome outcome) {
        LOG.log(Level.WARNING, "job {0} attempt {1} is no longer ours: its outcome is dropped", job.id(),
                job.attempt());
        if (outcome instanceof Outcome.Done(var images, _)) {
            pipeline.discard(images);
        }
    }
}
