package dev.imagen.pipeline;

import dev.imagen.backend.Progress;
import dev.imagen.job.Metered;

/** What a pipeline tells about an attempt while it runs. */
public interface Attempt extends Progress {

    /** The attempt now reaches a backend: from here on it costs something. */
    void calls(String backend, String model);

    /** What the provider says that the call used. */
    void metered(Metered used);
}
