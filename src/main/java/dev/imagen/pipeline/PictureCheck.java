package dev.imagen.pipeline;

import dev.imagen.backend.Picture;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.image.PngContent;
import dev.imagen.job.JobFailedException;

/** Lets only whole pictures within the limits go on, and says what they are by their own bytes. */
final class PictureCheck {

    private final Settings.Images limits;

    PictureCheck(Settings.Images limits) {
        this.limits = limits;
    }

    /**
     * @param backend named in the failure
     * @throws JobFailedException permanent, but for a damaged picture, which may come whole the next time
     */
    ImageFile check(Picture picture, String backend) throws JobFailedException {
        byte[] bytes = picture.bytes();
        var sent = "backend " + backend + " sent ";
        within(bytes.length, limits.bytes(), sent + "a file of " + bytes.length + " bytes",
                "images.bytes (IMAGES_BYTES)");
        try {
            var file = ImageFile.read(bytes);
            within(file.pixels(), limits.pixels(),
                    sent + "a picture of " + file.width() + "×" + file.height() + " pixels",
                    "images.pixels (IMAGES_PIXELS)");
            if (file.type() == ImageType.PNG) {
                PngContent.check(bytes);
            }
            return file;
        } catch (InvalidImageException e) {
            throw e.damaged()
                    ? JobFailedException.temporary(sent + e.getMessage(), e)
                    : JobFailedException.permanent(sent + e.getMessage());
        }
    }

    private static void within(long value, long limit, String what, String setting) throws JobFailedException {
        if (value > limit) {
            throw JobFailedException.permanent(what + ", and " + setting + " allows " + limit);
        }
    }
}
