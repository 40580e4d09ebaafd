package dev.imagen.pipeline;

import java.util.Optional;

/**
 * How a picture was made.
 *
 * @param prompt as the backend got it, the style's words in it
 * @param negativePrompt as the backend got it, the style's words in it
 * @param style by name
 * @param width pixels
 * @param height pixels
 * @param steps sampling steps; empty where the backend knows none
 * @param seed empty where the backend knows none
 * @param jobPrompt as the user wrote it
 * @param jobNegativePrompt as the user wrote it
 */
record GenerationParameters(String prompt, Optional<String> negativePrompt, Optional<String> style, String backend,
        String model, int width, int height, Optional<Integer> steps, Optional<Long> seed, String jobPrompt,
        Optional<String> jobNegativePrompt) {}
