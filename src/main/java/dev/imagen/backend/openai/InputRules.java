package dev.imagen.backend.openai;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Refusal;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import java.util.Optional;

/** Which pictures to begin with models take. */
final class InputRules {

    private static final int MEBIBYTE = 1024 * 1024;
    private static final int MOST_OF_GPT = 50 * MEBIBYTE;
    private static final int MOST_OF_DALL_E = 4 * MEBIBYTE;

    /** Where the header of a PNG says which samples a pixel has. */
    private static final int COLOUR_TYPE = 25;

    private InputRules() {}

    /** Before the picture is there. */
    static Optional<Refusal> refusal(ModelFamily family, ImageRequest request) {
        if (request.input().isEmpty()) {
            return request.params().containsKey("input_fidelity")
                    ? Optional.of(new Refusal("params.input_fidelity", "needs input_image_id"))
                    : Optional.empty();
        }
        return family == ModelFamily.DALL_E_3
                ? Optional.of(new Refusal("input_image_id",
                        "means nothing to model " + request.model() + ", which changes no pictures: leave it out"))
                : Optional.empty();
    }

    /** Of the picture itself. */
    static Optional<Refusal> refusal(ModelFamily family, String model, InputPicture picture) {
        return switch (family) {
            case DALL_E_2 -> unless(ofDallE(picture.bytes()),
                    "must be a square PNG of less than 4 MiB, transparent where model " + model + " is to paint");
            case OTHER -> Optional.empty();
            default ->
                unless(picture.bytes().length < MOST_OF_GPT, "must be a file of less than 50 MiB for model " + model);
        };
    }

    private static boolean ofDallE(byte[] bytes) {
        try {
            var file = ImageFile.read(bytes);
            return file.type() == ImageType.PNG && file.width() == file.height() && bytes.length < MOST_OF_DALL_E
                    && transparent(bytes[COLOUR_TYPE]);
        } catch (InvalidImageException e) {
            return false;
        }
    }

    /** Grey or colours, with alpha. */
    private static boolean transparent(byte colourType) {
        return colourType == 4 || colourType == 6;
    }

    private static Optional<Refusal> unless(boolean right, String detail) {
        return right ? Optional.empty() : Optional.of(new Refusal("input_image_id", detail));
    }
}
