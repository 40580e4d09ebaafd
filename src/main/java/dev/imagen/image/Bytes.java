package dev.imagen.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads numbers at places of a file; a place beyond its end is the caller's to avoid, or an exception of Java's. */
record Bytes(byte[] file) {

    int length() {
        return file.length;
    }

    int at(int place) {
        return file[place] & 0xFF;
    }

    /** Two bytes, the higher first. */
    int big16(int place) {
        return at(place) << 8 | at(place + 1);
    }

    /** Four bytes, the highest first. */
    long big32(int place) {
        return (long) big16(place) << 16 | big16(place + 2);
    }

    int little16(int place) {
        return at(place + 1) << 8 | at(place);
    }

    int little24(int place) {
        return at(place + 2) << 16 | little16(place);
    }

    long little32(int place) {
        return (long) little16(place + 2) << 16 | little16(place);
    }

    String text(int place, int length) {
        return new String(file, place, length, StandardCharsets.ISO_8859_1);
    }

    /** Whether these bytes are there. */
    boolean has(int place, byte[] wanted) {
        return place + wanted.length <= file.length
                && Arrays.equals(file, place, place + wanted.length, wanted, 0, wanted.length);
    }

    /** The same for ASCII. */
    boolean has(int place, String wanted) {
        return has(place, wanted.getBytes(StandardCharsets.ISO_8859_1));
    }
}
