package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import java.time.Duration;

/** Hears what a worker does, for metrics. Called on the worker's threads; must not block or throw. */
public interface WorkerListener {

    /** Hears nothing. */
    WorkerListener NONE = new WorkerListener() {
    };

    /** A job is ours and about to run. */
    default void claimed(Job job) {}

    /** An attempt ended and stands in the database. */
    default void finished(Job job, Outcome outcome, Duration took) {}

    /** Jobs of dead workers were taken back. */
    default void rescued(int jobs) {}
}
