package dev.imagen;

import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.Usage;
import dev.imagen.pipeline.Attempt;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** An attempt outside the queue: remembers what it cost. */
final class MeasuredAttempt implements Attempt {

    private String backend;
    private String model;
    private long startNanos;
    private Metered metered = Metered.NOTHING;

    @Override
    public void calls(String backend, String model) {
        this.backend = backend;
        this.model = model;
        this.startNanos = System.nanoTime();
    }

    @Override
    public void metered(Metered used) {
        metered = used;
    }

    @Override
    public void finished(int step, int steps) {
        // Nobody watches.
    }

    Optional<Usage> usage(List<NewImage> images) {
        return Optional.ofNullable(backend)
                .map(_ -> Usage.of(backend, model, images, Duration.ofNanos(System.nanoTime() - startNanos), metered));
    }
}
