package dev.imagen.image;

import static dev.imagen.image.ImageType.PNG;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/**
 * Whether what is compressed in a PNG is as large as it says: a file of a few kilobytes could fill gigabytes in
 * whatever decodes it.
 */
public final class PngContent {

    /** Some programs write more than the rows; a bomb is larger. */
    private static final long SPARE = 64 * 1024;

    /** All texts and the colour profile, inflated. */
    private static final long SIDE_CHUNKS = 4 * 1024 * 1024;

    private PngContent() {}

    /**
     * Looks at every chunk.
     *
     * @param png a file that {@link ImageFile#read} knows as a PNG
     * @throws InvalidImageException where a chunk inflates to more than it may, or something is missing
     */
    public static void check(byte[] png) throws InvalidImageException {
        var header = PngHeader.read(new Bytes(png));
        try (var pixels = new Inflation(header.imageDataBytes() + SPARE); var sides = new Inflation(SIDE_CHUNKS)) {
            for (var chunk = PngChunks.first(png); !chunk.last(); chunk = chunk.next()) {
                if (chunk.type().equals("IDAT")) {
                    pixels.add(chunk.data());
                } else {
                    checkSideChunk(chunk, sides);
                }
            }
            check(header, pixels);
        } catch (DataFormatException e) {
            throw InvalidImageException.damaged(PNG, "its pixels cannot be inflated: " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw InvalidImageException.damaged(PNG, e.getMessage());
        }
    }

    private static void check(PngHeader header, Inflation pixels) throws InvalidImageException {
        if (pixels.exceeded()) {
            throw InvalidImageException.other("a PNG whose pixels inflate to more than the " + header.file().width()
                    + "×" + header.file().height() + " of its header");
        }
        if (pixels.bytes() < header.imageDataBytes()) {
            throw InvalidImageException.damaged(PNG, "its pixels end early");
        }
    }

    private static void checkSideChunk(PngChunks.Chunk chunk, Inflation sides) throws InvalidImageException {
        var data = chunk.data();
        data.position(compressed(chunk.type(), data));
        if (data.hasRemaining()) {
            sides.restart();
            add(data, sides);
        }
        if (sides.exceeded()) {
            throw InvalidImageException
                    .other("a PNG whose texts and profile inflate to more than " + SIDE_CHUNKS + " bytes");
        }
    }

    private static void add(ByteBuffer data, Inflation sides) {
        try {
            sides.add(data);
        } catch (DataFormatException e) {
            // A picture is whole without its texts and its profile.
        }
    }

    /** Where the compressed part of a chunk begins; its end where nothing in it is compressed. */
    private static int compressed(String type, ByteBuffer data) {
        int afterKeyword = afterNul(data, 0);
        return switch (type) {
            // One byte says by which method.
            case "zTXt", "iCCP" -> Math.min(afterKeyword + 1, data.limit());
            // A flag, the method, the language, the translated keyword.
            case "iTXt" -> afterKeyword < data.limit() && data.get(afterKeyword) == 1
                    ? afterNul(data, afterNul(data, afterKeyword + 2))
                    : data.limit();
            default -> data.limit();
        };
    }

    /** The place after the next NUL; the end where there is none. */
    private static int afterNul(ByteBuffer data, int from) {
        int at = from;
        while (at < data.limit() && data.get(at) != 0) {
            at++;
        }
        return Math.min(at + 1, data.limit());
    }
}
