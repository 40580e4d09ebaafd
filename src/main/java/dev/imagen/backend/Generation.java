package dev.imagen.backend;

import dev.imagen.job.Metered;
import java.util.List;

/**
 * What a call of a backend gave.
 *
 * @param pictures at least one, in the provider's order
 * @param metered what the provider says that it used
 */
public record Generation(List<Picture> pictures, Metered metered) {

    /** One picture, of which nothing more is said. */
    public static Generation of(byte[] picture) {
        return new Generation(List.of(new Picture(picture)), Metered.NOTHING);
    }
}
