package dev.imagen.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Optional;

/**
 * A small JPEG of a picture in the making. Whatever an engine sent may be a bomb: what is larger than the limits is not
 * decoded, and of the rest no more pixels are kept than the small one needs.
 */
public final class Preview {

    /** The most bytes of a preview. */
    public static final int MOST_BYTES = 64 * 1024;

    /** The most bytes that are looked at to make one. */
    public static final int MOST_SENT = 8 * 1024 * 1024;

    private static final SmallPicture SMALL = new SmallPicture(256);

    /** As in the largest picture that an engine makes: 4096×4096. */
    private static final long MOST_PIXELS = 16L * 1024 * 1024;

    /** What a browser decodes without any effort. */
    private static final long FEW_PIXELS = 1024L * 1024;

    /** One after the other, until the file is small enough; noise needs the last. */
    private static final float[] QUALITIES = {0.75f, 0.5f, 0.25f};

    private Preview() {}

    /**
     * Makes one: at most 64 KiB. A JPEG that is small enough stays as it is; other pictures are at most 256 pixels on
     * their longer side afterwards.
     *
     * @param picture a PNG or JPEG, of any size
     * @return empty for anything else, such as a WebP, and for what is damaged or too large
     */
    public static Optional<byte[]> of(byte[] picture) {
        if (picture.length > MOST_SENT) {
            return Optional.empty();
        }
        try {
            var file = ImageFile.read(picture);
            if (file.type() == ImageType.JPEG && picture.length <= MOST_BYTES && file.pixels() <= FEW_PIXELS) {
                return Optional.of(picture);
            }
            if (file.type() == ImageType.WEBP || file.pixels() > MOST_PIXELS) {
                return Optional.empty();
            }
            if (file.type() == ImageType.PNG) {
                PngContent.check(picture);
            }
            return jpeg(SMALL.of(file, picture));
        } catch (InvalidImageException | IOException | RuntimeException e) {
            // Java's readers throw whatever comes when a file is damaged. There will be another preview.
            return Optional.empty();
        }
    }

    private static Optional<byte[]> jpeg(BufferedImage image) throws IOException {
        for (float quality : QUALITIES) {
            byte[] jpeg = SmallPicture.jpeg(image, quality);
            if (jpeg.length <= MOST_BYTES) {
                return Optional.of(jpeg);
            }
        }
        return Optional.empty();
    }
}
