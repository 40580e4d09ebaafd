package dev.imagen.pipeline;

import dev.imagen.job.Metered;

/** An attempt that nobody watches. */
public record UnwatchedAttempt() implements Attempt {

    @Override
    public void calls(String backend, String model) {
        // Nobody watches.
    }

    @Override
    public void metered(Metered used) {
        // Nobody watches.
    }

    @Override
    public void finished(int step, int steps) {
        // Nobody watches.
    }
}
