package dev.imagen.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * A small JPEG of a picture in the making. Whatever an engine sent may be a bomb: what is larger than the limits is not
 * decoded, and of the rest no more pixels are kept than the small one needs.
 */
public final class Preview {

    /** The most bytes of a preview. */
    public static final int MOST_BYTES = 64 * 1024;

    /** The most bytes that are looked at to make one. */
    public static final int MOST_SENT = 8 * 1024 * 1024;

    private static final int LONGER_SIDE = 256;

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
            return jpeg(shrunk(decoded(file.type(), picture)));
        } catch (InvalidImageException | IOException | RuntimeException e) {
            // Java's readers throw whatever comes when a file is damaged. There will be another preview.
            return Optional.empty();
        }
    }

    /** Reads only every second, third … pixel and row, as long as twice as many as wanted are left. */
    private static BufferedImage decoded(ImageType type, byte[] picture) throws IOException {
        var reader = ImageIO.getImageReadersByMIMEType(type.mimeType()).next();
        try {
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(picture)), true, true);
            return decoded(reader);
        } finally {
            reader.dispose();
        }
    }

    private static BufferedImage decoded(ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if ((long) width * height > MOST_PIXELS) {
            throw new IOException("two headers that say different things");
        }
        int every = Math.max(1, Math.max(width, height) / (2 * LONGER_SIDE));
        var param = reader.getDefaultReadParam();
        param.setSourceSubsampling(every, every, 0, 0);
        return reader.read(0, param);
    }

    /** Each pixel is the mean of those that it stands for. */
    private static BufferedImage shrunk(BufferedImage image) {
        double scale = Math.min(1, (double) LONGER_SIDE / Math.max(image.getWidth(), image.getHeight()));
        int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
        int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
        var small = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            int top = y * image.getHeight() / height;
            int rows = Math.max(1, (y + 1) * image.getHeight() / height - top);
            int[] pixels = image.getRGB(0, top, image.getWidth(), rows, null, 0, image.getWidth());
            for (int x = 0; x < width; x++) {
                int left = x * image.getWidth() / width;
                int right = Math.max(left + 1, (x + 1) * image.getWidth() / width);
                small.setRGB(x, y, mean(pixels, image.getWidth(), left, right));
            }
        }
        return small;
    }

    /** Of some columns; where one sees through, white is behind. */
    private static int mean(int[] pixels, int width, int left, int right) {
        long red = 0;
        long green = 0;
        long blue = 0;
        int count = 0;
        for (int row = 0; row < pixels.length; row += width) {
            for (int x = left; x < right; x++) {
                int pixel = pixels[row + x];
                int alpha = pixel >>> 24;
                int white = 255 * (255 - alpha);
                red += (pixel >> 16 & 0xFF) * alpha + white;
                green += (pixel >> 8 & 0xFF) * alpha + white;
                blue += (pixel & 0xFF) * alpha + white;
                count += 255;
            }
        }
        return (int) (red / count) << 16 | (int) (green / count) << 8 | (int) (blue / count);
    }

    private static Optional<byte[]> jpeg(BufferedImage image) throws IOException {
        for (float quality : QUALITIES) {
            byte[] jpeg = jpeg(image, quality);
            if (jpeg.length <= MOST_BYTES) {
                return Optional.of(jpeg);
            }
        }
        return Optional.empty();
    }

    private static byte[] jpeg(BufferedImage image, float quality) throws IOException {
        var writer = ImageIO.getImageWritersByMIMEType(ImageType.JPEG.mimeType()).next();
        var bytes = new ByteArrayOutputStream();
        try (var out = new MemoryCacheImageOutputStream(bytes)) {
            var param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(quality);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
