package dev.imagen.job;

import java.time.Duration;
import java.util.List;

/**
 * What an attempt that reached a backend cost.
 *
 * @param images pictures that came of it
 * @param megapixels of those pictures, in millions of pixels
 * @param duration from the call to its end
 * @param metered what the provider says of it
 */
public record Usage(String backend, String model, int images, double megapixels, Duration duration, Metered metered) {

    /** What these images cost. */
    public static Usage of(String backend, String model, List<NewImage> images, Duration duration, Metered metered) {
        long pixels = images.stream().mapToLong(image -> (long) image.width() * image.height()).sum();
        return new Usage(backend, model, images.size(), pixels / 1e6, duration, metered);
    }
}
