package dev.imagen.testing;

import dev.imagen.image.PngChunks;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;

/** Encoded pictures: real ones, and some that only say that they are. */
public final class SampleImages {

    /** One pixel each, as browsers' tests for WebP use them. */
    public static final byte[] LOSSY_WEBP = decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA");
    public static final byte[] LOSSLESS_WEBP = decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==");
    public static final byte[] EXTENDED_WEBP = decode("UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8D"
            + "AABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==");
    public static final byte[] ANIMATED_WEBP = decode("UklGRlIAAABXRUJQVlA4WAoAAAASAAAAAAAAAAAAQU5JTQYAAAD/////AABBTk1G"
            + "JgAAAAAAAAAAAAAAAAAAAGQAAABWUDhMDQAAAC8AAAAQBxAREYiI/gcA");

    private SampleImages() {}

    private static byte[] decode(String base64) {
        return Base64.getDecoder().decode(base64);
    }

    /** Pixels of 24 bits. */
    public static byte[] png(int width, int height) {
        return encode("png", new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
    }

    /** Pixels of 24 bits. */
    public static byte[] jpeg(int width, int height) {
        return encode("jpg", new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB));
    }

    /** In a format that ImageIO knows. */
    public static byte[] encode(String format, BufferedImage image) {
        var out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) {
                throw new AssertionError("no writer for " + format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A PNG whose header says 24 bits a pixel, and whose image data are so many zeros, whatever the header says. */
    public static byte[] pngOf(int width, int height, long inflated, byte[]... chunksBefore) {
        var png = new ByteArrayOutputStream();
        png.writeBytes(PngChunks.signature());
        png.writeBytes(PngChunks.chunk("IHDR",
                ByteBuffer.allocate(13).putInt(width).putInt(height).put((byte) 8).put((byte) 2).array()));
        for (byte[] chunk : chunksBefore) {
            png.writeBytes(chunk);
        }
        png.writeBytes(PngChunks.chunk("IDAT", zeros(inflated)));
        png.writeBytes(PngChunks.chunk("IEND", new byte[0]));
        return png.toByteArray();
    }

    /** So many zeros, compressed: a thousandth of it. */
    public static byte[] zeros(long count) {
        var out = new ByteArrayOutputStream();
        var deflater = new Deflater(Deflater.BEST_SPEED);
        try (var compressed = new DeflaterOutputStream(out, deflater)) {
            var block = new byte[64 * 1024];
            for (long left = count; left > 0; left -= block.length) {
                compressed.write(block, 0, (int) Math.min(left, block.length));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            deflater.end();
        }
        return out.toByteArray();
    }
}
