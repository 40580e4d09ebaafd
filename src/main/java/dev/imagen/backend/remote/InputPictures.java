package dev.imagen.backend.remote;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.job.JobFailedException;
import java.util.Base64;
import java.util.Optional;

/** Pictures that a request begins with, sent within it. */
public final class InputPictures {

    /** Providers take no larger ones within a request. */
    private static final int MOST_BYTES = 10_000_000;

    private InputPictures() {}

    /** Refuses one that is too large, before anything is sent. */
    public static void check(RemoteServer server, ImageRequest request) throws JobFailedException {
        int bytes = request.input().map(picture -> picture.bytes().length).orElse(0);
        if (bytes > MOST_BYTES) {
            throw server.permanent("input_image_id is of a picture of " + bytes + " bytes, must have at most "
                    + MOST_BYTES + " to be sent");
        }
    }

    /** Bytes of it within a request, and within an answer that repeats the request. */
    public static long encoded(ImageRequest request) {
        return request.input().map(picture -> picture.bytes().length / 3 * 4 + 100L).orElse(0L);
    }

    /** As text. */
    public static String base64(InputPicture picture) {
        return Base64.getEncoder().encodeToString(picture.bytes());
    }

    /** As a URL of its own. */
    public static String dataUrl(InputPicture picture) {
        return "data:" + picture.mimeType() + ";base64," + base64(picture);
    }
}
