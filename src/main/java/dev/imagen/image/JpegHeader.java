package dev.imagen.image;

import static dev.imagen.image.ImageType.JPEG;

/** The frame of a JPEG (ITU-T T.81, B.2.2), found by its marker. */
final class JpegHeader {

    /** Start of image, and the first byte of the next marker. */
    static final byte[] START = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF};

    private static final byte[] END = {(byte) 0xFF, (byte) 0xD9};

    private static final int START_OF_SCAN = 0xDA;

    private JpegHeader() {}

    static ImageFile read(Bytes bytes) throws InvalidImageException {
        int at = 2;
        while (at + 9 <= bytes.length()) {
            if (bytes.at(at) != 0xFF) {
                throw InvalidImageException.damaged(JPEG, "no marker at byte " + at);
            }
            int marker = bytes.at(at + 1);
            if (frame(marker)) {
                checkEnd(bytes, at);
                return ImageFile.of(JPEG, bytes.big16(at + 7), bytes.big16(at + 5));
            }
            if (marker == START_OF_SCAN) {
                throw InvalidImageException.damaged(JPEG, "its pixels come before its size");
            }
            // More of 0xFF before a marker are padding; all markers before the frame have a length.
            at += marker == 0xFF ? 1 : 2 + bytes.big16(at + 2);
        }
        throw InvalidImageException.damaged(JPEG, "it ends at byte " + bytes.length() + ", before its size");
    }

    /** C0 to CF are frames, but for tables of codes, a reserved one and arithmetic conditioning. */
    private static boolean frame(int marker) {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    /** Within the pixels 0xFF is followed by 0 or by a restart: this can only be the end. */
    private static void checkEnd(Bytes bytes, int frame) throws InvalidImageException {
        for (int at = bytes.length() - END.length; at > frame; at--) {
            if (bytes.has(at, END)) {
                return;
            }
        }
        throw InvalidImageException.damaged(JPEG, "it ends at byte " + bytes.length() + " without an end marker");
    }
}
