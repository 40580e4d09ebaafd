package dev.imagen.api;

import dev.imagen.database.DatabaseException;
import dev.imagen.event.JobEvents;
import dev.imagen.event.Watcher;
import dev.imagen.job.Job;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Waits for a job's end, for {@code Prefer: wait}. */
final class FinishedJob {

    private final JobEvents events;
    private final Function<UUID, Optional<Job>> current;

    /** @param current reads the job as it is now */
    FinishedJob(JobEvents events, Function<UUID, Optional<Job>> current) {
        this.events = events;
        this.current = current;
    }

    /** The finished job, or the job as it is when the time is up or the process stops. */
    Job await(Job job, Duration longest) {
        var finished = new CompletableFuture<Boolean>();
        try (var _ = events.watchJob(job.id(), signal(finished))) {
            if (!now(job).status().finished()) {
                finished.get(longest.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (TimeoutException e) {
            // The caller asked to wait no longer.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("this signal has no failure", e);
        }
        return now(job);
    }

    /** The job exists, whether or not the database answers now: better an old state than a 503. */
    private Job now(Job job) {
        try {
            return current.apply(job.id()).orElse(job);
        } catch (DatabaseException e) {
            return job;
        }
    }

    private static Watcher signal(CompletableFuture<Boolean> finished) {
        return new Watcher() {
            @Override
            public void changed(Job job) {
                if (job.status().finished()) {
                    finished.complete(true);
                }
            }

            @Override
            public void closed() {
                finished.complete(false);
            }
        };
    }
}
