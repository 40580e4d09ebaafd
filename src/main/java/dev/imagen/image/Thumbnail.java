package dev.imagen.image;

import java.io.IOException;
import java.util.Optional;

/** A small JPEG of a whole picture, for a gallery. */
public final class Thumbnail {

    /** Pixels of its longer side, at most: smaller pictures keep their size. */
    public static final int LONGER_SIDE = 320;

    /** Of some JPEGs Java's decoder holds every pixel, six bytes each, however few are wanted. */
    static final long MOST_JPEG_PIXELS = 32L * 1024 * 1024;

    private static final SmallPicture SMALL = new SmallPicture(LONGER_SIDE);
    private static final float QUALITY = 0.8f;

    private Thumbnail() {}

    /**
     * Makes one; where the picture is clear, white is behind it.
     *
     * @param file what the picture is, within the limits of {@link ImageLimits}
     * @return empty for what Java does not decode: a WebP, a JPEG in colours for print or of more than 32 Mi pixels
     */
    public static Optional<byte[]> of(ImageFile file, byte[] picture) {
        if (file.type() == ImageType.WEBP || file.type() == ImageType.JPEG && file.pixels() > MOST_JPEG_PIXELS) {
            return Optional.empty();
        }
        try {
            return Optional.of(SmallPicture.jpeg(SMALL.of(file, picture), QUALITY));
        } catch (IOException | RuntimeException e) {
            // Java's readers throw whatever comes when a file is not as they know it; browsers know more.
            return Optional.empty();
        }
    }
}
