package dev.imagen.event;

import dev.imagen.job.Job;

/** Somebody who watches jobs. Called on threads that serve all watchers: must not block. */
public interface Watcher {

    /** A watched job as it stands now; may be one that the watcher knows already. */
    void changed(Job job);

    /** Whether it is told of progress too; always the same. */
    default boolean watchesProgress() {
        return false;
    }

    /** A watched job is further than before; may be repeated, and come late. */
    default void progressed(JobProgress progress) {}

    /** The process stops. */
    void closed();
}
