package dev.imagen.job;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What a client asks for; whatever is empty is left to the worker or to the table's default.
 *
 * @param prompt 1 to 32,000 characters, not blank
 * @param width pixels, 16 to 8192
 * @param height pixels, 16 to 8192
 * @param steps 1 to 10,000
 * @param seed 0 to 2^53-1; empty: a random one
 * @param priority higher first; owners may only ask for 0 or less
 * @param runAt not before
 * @param maxAttempts 1 to 25
 * @param params what only one backend knows, by its own names; as JSON at most 16 KiB
 * @param count pictures, 1 to 10
 * @param inputImageId an image of the same owner to begin with
 * @param strength how much of the input changes, 0 to 1; only with an input
 */
public record NewJob(String prompt, Optional<String> negativePrompt, Optional<String> backend, Optional<String> model,
        Optional<String> style, Optional<Integer> width, Optional<Integer> height, Optional<Integer> steps,
        Optional<Long> seed, int priority, Optional<Instant> runAt, int maxAttempts, Map<String, Object> params,
        int count, Optional<UUID> inputImageId, Optional<Double> strength) {

    /** One picture, from nothing, without parameters of one backend. */
    public NewJob(String prompt, Optional<String> negativePrompt, Optional<String> backend, Optional<String> model,
            Optional<String> style, Optional<Integer> width, Optional<Integer> height, Optional<Integer> steps,
            Optional<Long> seed, int priority, Optional<Instant> runAt, int maxAttempts) {
        this(prompt, negativePrompt, backend, model, style, width, height, steps, seed, priority, runAt, maxAttempts,
                Map.of(), 1, Optional.empty(), Optional.empty());
    }

    /** The same on another backend. */
    public NewJob on(String other) {
        return new NewJob(prompt, negativePrompt, Optional.of(other), model, style, width, height, steps, seed,
                priority, runAt, maxAttempts, params, count, inputImageId, strength);
    }

    /** A prompt, and everything else left to the defaults. */
    public static NewJob of(String prompt) {
        return new NewJob(prompt, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, Optional.empty(), 3);
    }
}
