package dev.imagen.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageWriteParam;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Pictures made small: never enlarged, and of the large one no more pixels are kept than that needs. How large it may
 * be the caller has to decide beforehand.
 */
final class SmallPicture {

    private final int longerSide;

    /** @param longerSide pixels at most */
    SmallPicture(int longerSide) {
        this.longerSide = longerSide;
    }

    /**
     * @param file what the picture is: a PNG or JPEG
     * @throws IOException for what cannot be decoded; a damaged file may throw any RuntimeException as well
     */
    BufferedImage of(ImageFile file, byte[] picture) throws IOException {
        return shrunk(decoded(file, picture));
    }

    /** Reads only every second, third … pixel and row, as long as twice as many as wanted are left. */
    private BufferedImage decoded(ImageFile file, byte[] picture) throws IOException {
        var reader = ImageIO.getImageReadersByMIMEType(file.type().mimeType()).next();
        try {
            reader.setInput(new MemoryCacheImageInputStream(new ByteArrayInputStream(picture)), true, true);
            return decoded(file, reader);
        } finally {
            reader.dispose();
        }
    }

    private BufferedImage decoded(ImageFile file, ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if (width != file.width() || height != file.height()) {
            throw new IOException("two headers that say different things");
        }
        int every = Math.max(1, Math.max(width, height) / (2 * longerSide));
        var param = reader.getDefaultReadParam();
        param.setSourceSubsampling(every, every, 0, 0);
        return reader.read(0, param);
    }

    /** Each pixel is the mean of those that it stands for. */
    private BufferedImage shrunk(BufferedImage image) {
        double scale = Math.min(1, (double) longerSide / Math.max(image.getWidth(), image.getHeight()));
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

    /** @param quality 0 to 1 */
    static byte[] jpeg(BufferedImage image, float quality) throws IOException {
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
