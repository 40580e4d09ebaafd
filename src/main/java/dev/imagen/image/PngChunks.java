package dev.imagen.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/** The outer structure of a PNG file: a signature, then chunks of length, type, data and checksum. */
public final class PngChunks {

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    /** Length, type and checksum: four bytes each. */
    private static final int FRAME = 12;

    private static final String NUL = "\0";

    private PngChunks() {}

    /** The eight bytes that every PNG starts with. */
    public static byte[] signature() {
        return SIGNATURE.clone();
    }

    /**
     * One whole chunk.
     *
     * @param type four ASCII letters
     * @throws IllegalArgumentException for any other type
     */
    public static byte[] chunk(String type, byte[] data) {
        if (!type.matches("[A-Za-z]{4}")) {
            throw new IllegalArgumentException("A PNG chunk type has four ASCII letters, not \"" + type + "\"");
        }
        var chunk = ByteBuffer.allocate(FRAME + data.length).putInt(data.length)
                .put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        var checksum = new CRC32();
        checksum.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) checksum.getValue()).array();
    }

    /**
     * A text for programs that read metadata: {@code tEXt}, which all of them know, where Latin-1 suffices, otherwise
     * {@code iTXt} in UTF-8. Neither can hold a NUL, so these are left out.
     *
     * @param keyword 1 to 79 printable ASCII characters
     * @throws IllegalArgumentException for any other keyword
     */
    public static byte[] text(String keyword, String text) {
        if (!keyword.matches("[ -~]{1,79}")) {
            throw new IllegalArgumentException(
                    "A PNG keyword has 1 to 79 printable ASCII characters, not \"" + keyword + "\"");
        }
        var written = text.replace(NUL, "");
        if (StandardCharsets.ISO_8859_1.newEncoder().canEncode(written)) {
            return chunk("tEXt", (keyword + NUL + written).getBytes(StandardCharsets.ISO_8859_1));
        }
        // Between keyword and text: not compressed, the only compression method, no language, no translated keyword.
        var header = keyword + NUL + NUL + NUL + NUL + NUL;
        return chunk("iTXt", (header + written).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The file with more chunks directly before its first {@code IDAT}; everything else is the bytes of the array, so
     * nothing is decoded, compressed or copied.
     *
     * @param png a whole file
     * @param chunks as {@link #chunk} and {@link #text} make them, written in this order
     * @throws IllegalArgumentException when the file is not a PNG or a part of it is missing
     */
    public static ImageBytes insertBeforeImageData(byte[] png, List<byte[]> chunks) {
        return ImageBytes.inserted(png, imageData(png), chunks.stream());
    }

    /** Where the first {@code IDAT} begins. Walks on to the end all the same: a file cut off early is worth nothing. */
    private static int imageData(byte[] png) {
        int imageData = 0;
        for (var chunk = first(png); !chunk.last(); chunk = chunk.next()) {
            if (imageData == 0 && chunk.type().equals("IDAT")) {
                imageData = chunk.at();
            }
        }
        if (imageData == 0) {
            throw new IllegalArgumentException("Broken PNG: it has no image data");
        }
        return imageData;
    }

    /**
     * A chunk of a file.
     *
     * @param at where its length stands
     * @param length bytes of its data
     */
    record Chunk(byte[] png, int at, String type, int length) {

        private static Chunk of(byte[] png, int at) {
            int rest = png.length - at - FRAME;
            if (rest < 0) {
                throw new IllegalArgumentException(
                        "Broken PNG: it ends at byte " + png.length + " without an end chunk");
            }
            int length = ByteBuffer.wrap(png).getInt(at);
            if (length < 0 || length > rest) {
                throw new IllegalArgumentException("Broken PNG: the chunk at byte " + at + " is longer than the file");
            }
            return new Chunk(png, at, new String(png, at + 4, 4, StandardCharsets.ISO_8859_1), length);
        }

        boolean last() {
            return type.equals("IEND");
        }

        /** @throws IllegalArgumentException when the file ends before it does */
        Chunk next() {
            return of(png, at + FRAME + length);
        }

        /** Its data, in place. */
        ByteBuffer data() {
            return ByteBuffer.wrap(png, at + 8, length).slice();
        }
    }

    /** The header. @throws IllegalArgumentException when the file is not a PNG or does not start with it */
    static Chunk first(byte[] png) {
        if (!Arrays.equals(SIGNATURE, Arrays.copyOf(png, SIGNATURE.length))) {
            throw new IllegalArgumentException("Not a PNG: the signature is missing");
        }
        var first = Chunk.of(png, SIGNATURE.length);
        if (!first.type().equals("IHDR")) {
            throw new IllegalArgumentException("Broken PNG: it does not start with its header");
        }
        return first;
    }
}
