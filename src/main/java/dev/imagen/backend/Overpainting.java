package dev.imagen.backend;

import dev.imagen.job.JobFailedException;
import java.awt.AlphaComposite;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/**
 * What the mock makes of a picture to begin with: its own is painted over that, the more opaque the more may change.
 */
final class Overpainting {

    private Overpainting() {}

    /** @throws JobFailedException for a WebP, which Java does not read */
    static byte[] png(InputPicture input, byte[] painting) throws JobFailedException {
        try {
            var below = ImageIO.read(new ByteArrayInputStream(input.bytes()));
            if (below == null) {
                throw JobFailedException
                        .permanent("input_image_id: the mock backend reads PNG and JPEG, and no " + input.mimeType());
            }
            return encode(over(below, ImageIO.read(new ByteArrayInputStream(painting)), input.strength()));
        } catch (IOException e) {
            throw JobFailedException.permanent("input_image_id: the mock backend cannot read it: " + e.getMessage());
        }
    }

    private static BufferedImage over(BufferedImage below, BufferedImage above, double strength) {
        var image = new BufferedImage(above.getWidth(), above.getHeight(), BufferedImage.TYPE_INT_RGB);
        var graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(below, 0, 0, image.getWidth(), image.getHeight(), null);
            graphics.setComposite(AlphaComposite.getInstance(AlphaComposite.SRC_OVER, (float) strength));
            graphics.drawImage(above, 0, 0, null);
        } finally {
            graphics.dispose();
        }
        return image;
    }

    private static byte[] encode(BufferedImage image) {
        var png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException("an array takes all bytes", e);
        }
        return png.toByteArray();
    }
}
