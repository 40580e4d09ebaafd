package dev.imagen.backend;

import java.util.Map;
import java.util.Optional;

/**
 * What to make, nothing left to default.
 *
 * @param prompt what to show, the style's words already in it
 * @param negativePrompt what to leave out; empty for backends that do not know it
 * @param model one of {@link BackendInfo#models()}
 * @param width pixels
 * @param height pixels
 * @param steps sampling steps, at least 1; 0 for a backend that knows none
 * @param seed 0 to 2^53-1: the same request with the same seed gives the same picture where the backend can; for others
 *     it means nothing
 * @param params of this backend alone, each as its {@link Parameter} wants it
 * @param count how many pictures, from 1 to {@link ImageBackend#picturesPerCall}
 * @param input what to begin with
 */
public record ImageRequest(String prompt, Optional<String> negativePrompt, String model, int width, int height,
        int steps, long seed, Map<String, Object> params, int count, Optional<InputPicture> input) {

    /** One picture, from nothing. */
    public ImageRequest(String prompt, Optional<String> negativePrompt, String model, int width, int height, int steps,
            long seed, Map<String, Object> params) {
        this(prompt, negativePrompt, model, width, height, steps, seed, params, 1, Optional.empty());
    }

    /** The largest seed, and 1: that after it is 0. */
    private static final long SEEDS = 1L << 53;

    /** A call for some of the pictures. @param before how many there are by now @param asked how many it asks for */
    public ImageRequest part(int before, int asked) {
        return new ImageRequest(prompt, negativePrompt, model, width, height, steps, seedOf(before), params, asked,
                input);
    }

    /** Of the picture at a position, from 0. */
    public long seedOf(int position) {
        return (seed + position) % SEEDS;
    }

    /** The same with the picture to begin with. */
    public ImageRequest beginningWith(InputPicture picture) {
        return new ImageRequest(prompt, negativePrompt, model, width, height, steps, seed, params, count,
                Optional.of(picture));
    }

    /** Width and height. */
    public Size size() {
        return new Size(width, height);
    }
}
