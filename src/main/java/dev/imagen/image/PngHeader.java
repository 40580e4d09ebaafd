package dev.imagen.image;

import static dev.imagen.image.ImageType.PNG;

/**
 * The IHDR of a PNG (ISO/IEC 15948, 11.2.1).
 *
 * @param bitsPerPixel 1 to 64
 * @param interlaced whether the pixels come in the seven passes of Adam7
 */
record PngHeader(ImageFile file, int bitsPerPixel, boolean interlaced) {

    static final byte[] SIGNATURE = PngChunks.signature();

    /** Signature, length and type; then 13 bytes of data and the checksum. */
    private static final int DATA = 16;
    private static final int END = DATA + 13 + 4;

    /** Of each pass: first column, first row, columns from one pixel to the next, rows. */
    private static final int[][] ADAM7 = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4},
            {1, 0, 2, 2}, {0, 1, 1, 2}};

    static PngHeader read(Bytes bytes) throws InvalidImageException {
        if (bytes.length() < END || !bytes.has(DATA - 4, "IHDR")) {
            throw InvalidImageException.damaged(PNG, "it does not start with its header");
        }
        int depth = bytes.at(DATA + 8);
        int bits = depth * samples(bytes.at(DATA + 9));
        if (bits == 0 || depth > 16 || Integer.bitCount(depth) != 1 || bytes.at(DATA + 12) > 1) {
            throw InvalidImageException.damaged(PNG, "its header names a format that does not exist");
        }
        return new PngHeader(ImageFile.of(PNG, bytes.big32(DATA), bytes.big32(DATA + 4)), bits,
                bytes.at(DATA + 12) == 1);
    }

    /** By colour type; 0 for one that does not exist. */
    private static int samples(int colourType) {
        return switch (colourType) {
            case 0, 3 -> 1;
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 0;
        };
    }

    /** How many bytes the inflated image data has: each row of pixels, with one byte for its filter. */
    long imageDataBytes() {
        if (!interlaced) {
            return bytes(file.width(), file.height());
        }
        long bytes = 0;
        for (int[] pass : ADAM7) {
            bytes += bytes(ceilingOfQuotient(file.width() - pass[0], pass[2]),
                    ceilingOfQuotient(file.height() - pass[1], pass[3]));
        }
        return bytes;
    }

    private long bytes(long width, long height) {
        return width == 0 ? 0 : height * (1 + ceilingOfQuotient(width * bitsPerPixel, 8));
    }

    /** 0 where nothing is left. */
    private static long ceilingOfQuotient(long value, int divisor) {
        return Math.max(0, Math.ceilDiv(value, divisor));
    }
}
