package dev.imagen.pipeline;

import dev.imagen.job.NewJob;
import java.util.Optional;

/**
 * How a picture was made.
 *
 * @param asked the job as its client wrote it
 * @param prompt as the backend got it, the style's words in it
 * @param negativePrompt as the backend got it, the style's words in it
 * @param width pixels
 * @param height pixels
 * @param steps sampling steps; empty where the backend knows none
 * @param seed empty where the backend knows none
 * @param strength how much of the input changed; empty without one, and where the backend knows none
 */
record GenerationParameters(NewJob asked, String prompt, Optional<String> negativePrompt, String backend, String model,
        int width, int height, Optional<Integer> steps, Optional<Long> seed, Optional<Double> strength) {}
