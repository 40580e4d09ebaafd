package dev.imagen.image;

import dev.imagen.config.Settings;

/** Lets only whole pictures within the limits of the settings through, and says what they are by their own bytes. */
public final class ImageLimits {

    private final Settings.Images limits;

    /** These limits. */
    public ImageLimits(Settings.Images limits) {
        this.limits = limits;
    }

    /** Bytes of an encoded picture. */
    public long bytes() {
        return limits.bytes();
    }

    /** @throws InvalidImageException where the bytes are no whole PNG, JPEG or WebP, or too many */
    public ImageFile check(byte[] bytes) throws InvalidImageException {
        within(bytes.length, limits.bytes(), "a file of " + bytes.length + " bytes", "images.bytes (IMAGES_BYTES)");
        var file = ImageFile.read(bytes);
        within(file.pixels(), limits.pixels(), "a picture of " + file.width() + "×" + file.height() + " pixels",
                "images.pixels (IMAGES_PIXELS)");
        if (file.type() == ImageType.PNG) {
            PngContent.check(bytes);
        }
        return file;
    }

    private static void within(long value, long limit, String what, String setting) throws InvalidImageException {
        if (value > limit) {
            throw InvalidImageException.other(what + ", and " + setting + " allows " + limit);
        }
    }
}
