package dev.imagen.image;

import static dev.imagen.image.ImageType.WEBP;

/** The three forms of a WebP (RFC 9649): lossy, lossless, and extended, which holds one of these or an animation. */
final class WebpHeader {

    /** RIFF, a size, WEBP. */
    private static final int FIRST_CHUNK = 12;

    /** Type and size of a chunk. */
    private static final int FRAME = 8;

    private static final byte[] VP8_START = {(byte) 0x9D, 0x01, 0x2A};

    private static final int ANIMATED = 0x02;

    private WebpHeader() {}

    static ImageFile read(Bytes bytes) throws InvalidImageException {
        long end = FRAME + bytes.little32(4);
        if (end > bytes.length() || bytes.length() < FIRST_CHUNK + FRAME + 10) {
            throw InvalidImageException.damaged(WEBP, "it ends at byte " + bytes.length());
        }
        return bytes.has(FIRST_CHUNK, "VP8X") ? extended(bytes, (int) end) : picture(bytes, FIRST_CHUNK);
    }

    /** The canvas, which the picture in it must fill: a small canvas could hide a large picture. */
    private static ImageFile extended(Bytes bytes, int end) throws InvalidImageException {
        int data = FIRST_CHUNK + FRAME;
        var canvas = ImageFile.of(WEBP, bytes.little24(data + 4) + 1L, bytes.little24(data + 7) + 1L);
        if ((bytes.at(data) & ANIMATED) != 0) {
            return canvas;
        }
        long at = data + 10L;
        while (at + FRAME + 10 <= end) {
            int chunk = (int) at;
            if (bytes.has(chunk, "VP8 ") || bytes.has(chunk, "VP8L")) {
                if (!picture(bytes, chunk).equals(canvas)) {
                    throw InvalidImageException.other("a WebP whose picture has another size than its header says");
                }
                return canvas;
            }
            long size = bytes.little32(chunk + 4);
            at += FRAME + size + size % 2;
        }
        throw InvalidImageException.damaged(WEBP, "there is no picture in it");
    }

    private static ImageFile picture(Bytes bytes, int chunk) throws InvalidImageException {
        int data = chunk + FRAME;
        if (bytes.has(chunk, "VP8 ") && bytes.has(data + 3, VP8_START)) {
            return ImageFile.of(WEBP, bytes.little16(data + 6) & 0x3FFF, bytes.little16(data + 8) & 0x3FFF);
        }
        if (bytes.has(chunk, "VP8L") && bytes.at(data) == 0x2F) {
            long sizes = bytes.little32(data + 1);
            return ImageFile.of(WEBP, (sizes & 0x3FFF) + 1, (sizes >> 14 & 0x3FFF) + 1);
        }
        throw InvalidImageException.damaged(WEBP, "there is no picture in it");
    }
}
