package dev.imagen.pipeline;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.ImageRequest;
import dev.imagen.config.Style;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewJob;
import java.util.concurrent.ThreadLocalRandom;

/** Fills in what a job left out, from its style and then its backend, and holds it to the backend's limits. */
final class RequestResolver {

    /** Every backend knows seeds of 32 bits. */
    private static final long RANDOM_SEED_BOUND = 1L << 32;

    private RequestResolver() {}

    static ImageRequest resolve(NewJob job, Style style, BackendInfo backend) throws JobFailedException {
        var defaults = backend.defaults();
        var request = new ImageRequest(PromptStyles.prompt(style, job.prompt()),
                PromptStyles.negativePrompt(style, job.negativePrompt()),
                job.model().orElse(backend.models().getFirst()), job.width().or(style::width).orElse(defaults.width()),
                job.height().or(style::height).orElse(defaults.height()), job.steps().orElse(defaults.steps()),
                job.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong(RANDOM_SEED_BOUND)), job.params());
        check(request, backend);
        return request;
    }

    private static void check(ImageRequest request, BackendInfo backend) throws JobFailedException {
        var limits = backend.limits();
        if (!backend.models().contains(request.model())) {
            throw JobFailedException.permanent("unknown model \"" + request.model() + "\" of backend " + backend.name()
                    + ": use one of " + String.join(", ", backend.models()));
        }
        within("width", request.width(), limits.minSide(), limits.maxSide(), backend);
        within("height", request.height(), limits.minSide(), limits.maxSide(), backend);
        within("steps", request.steps(), 1, limits.maxSteps(), backend);
        for (var param : request.params().entrySet()) {
            var problem = backend.problem(param.getKey(), param.getValue());
            if (problem.isPresent()) {
                throw JobFailedException.permanent("params." + param.getKey() + " " + problem.get());
            }
        }
        within("width times height", (long) request.width() * request.height(), 1, limits.maxPixels(), backend);
    }

    private static void within(String what, long value, long min, long max, BackendInfo backend)
            throws JobFailedException {
        if (value < min || value > max) {
            throw JobFailedException
                    .permanent(what + " is " + value + ", backend " + backend.name() + " takes " + min + " to " + max);
        }
    }
}
