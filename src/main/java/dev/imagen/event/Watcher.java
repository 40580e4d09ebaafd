package dev.imagen.event;

import dev.imagen.job.Job;

/** Somebody who watches jobs. Called on the one thread that serves all watchers: must not block. */
public interface Watcher {

    /** A watched job as it stands now; may be one that the watcher knows already. */
    void changed(Job job);

    /** A watched job is further than before; may be repeated. */
    void progressed(JobProgress progress);

    /** The process stops. */
    void closed();
}
