package dev.imagen.pipeline;

import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageRequest;
import dev.imagen.config.Price;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.pipeline.RequestResolver.Resolved;
import dev.imagen.trace.Spans;
import io.opentelemetry.api.trace.Span;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;

/** Makes the calls of an attempt, and adds up what they use and cost. */
final class Bill {

    /** As {@code imagen.usage} has it: a millionth of a dollar. */
    private static final int DECIMALS = 6;

    private final Attempt attempt;
    private Metered sum = Metered.NOTHING;
    private JobFailedException failure;

    Bill(Attempt attempt) {
        this.attempt = attempt;
    }

    /** From here on it costs something. */
    void calls(Resolved resolved) {
        attempt.calls(resolved.backend().info().name(), resolved.request().model());
    }

    /**
     * One call.
     *
     * @param before pictures of earlier calls
     * @param all pictures of the job
     */
    Generation generation(Resolved resolved, ImageRequest part, int before, int all)
            throws JobFailedException, InterruptedException {
        long start = System.nanoTime();
        var generation = call(resolved, part, new PartProgress(attempt, before, part.count(), all));
        var time = Duration.ofNanos(System.nanoTime() - start);
        sum = sum.plus(priced(generation, part, resolved.price(), time));
        attempt.metered(sum);
        return generation;
    }

    private Generation call(Resolved resolved, ImageRequest part, PartProgress progress)
            throws JobFailedException, InterruptedException {
        try {
            return Spans.in("imagen.backend", () -> {
                Span.current().setAttribute("imagen.backend", resolved.backend().info().name())
                        .setAttribute("imagen.model", part.model()).setAttribute("imagen.pictures", part.count());
                return resolved.backend().generate(part, progress);
            });
        } catch (JobFailedException e) {
            failure = e;
            throw e;
        }
    }

    /** Whether this is what a call failed with. */
    boolean failedWith(JobFailedException thrown) {
        return failure == thrown;
    }

    /** What the provider itself says that it costs goes before the price table. */
    private static Metered priced(Generation generation, ImageRequest part, Optional<Price> price, Duration time) {
        var metered = generation.metered();
        if (metered.costUsd().isPresent() || price.isEmpty()) {
            return metered;
        }
        int pictures = generation.pictures().size();
        var cost = price.get().of(pictures, pictures * part.size().pixels(), time)
                .add(price.get().ofTokens(metered.inputTokens().orElse(0L), metered.outputTokens().orElse(0L)));
        return new Metered(metered.inputTokens(), metered.outputTokens(),
                Optional.of(cost.setScale(DECIMALS, RoundingMode.HALF_UP)));
    }
}
