package dev.imagen.image;

/**
 * What an encoded picture is, by its own bytes. Whoever sent it may have said something else: that does not count.
 *
 * @param width pixels, at least 1
 * @param height pixels, at least 1
 */
public record ImageFile(ImageType type, int width, int height) {

    /**
     * Reads the headers; nothing is decoded or inflated.
     *
     * @throws InvalidImageException where the bytes are no PNG, JPEG or WebP, or end early
     */
    public static ImageFile read(byte[] file) throws InvalidImageException {
        var bytes = new Bytes(file);
        if (bytes.has(0, PngHeader.SIGNATURE)) {
            return PngHeader.read(bytes).file();
        }
        if (bytes.has(0, JpegHeader.START)) {
            return JpegHeader.read(bytes);
        }
        if (bytes.has(0, "RIFF") && bytes.has(8, "WEBP")) {
            return WebpHeader.read(bytes);
        }
        throw InvalidImageException.other(OtherFile.describe(bytes) + " instead of a picture (PNG, JPEG or WebP)");
    }

    /** Width times height. */
    public long pixels() {
        return (long) width * height;
    }

    /** @throws InvalidImageException for a side of nothing */
    static ImageFile of(ImageType type, long width, long height) throws InvalidImageException {
        if (width < 1 || height < 1 || width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
            throw InvalidImageException.damaged(type, "its header says " + width + "×" + height + " pixels");
        }
        return new ImageFile(type, (int) width, (int) height);
    }
}
