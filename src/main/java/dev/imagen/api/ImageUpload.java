package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.image.ImageBytes;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageLimits;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.job.TimeOrderedId;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.StorageKey;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import java.util.stream.Collectors;

/** Takes an owner's own picture in. */
final class ImageUpload {

    private static final System.Logger LOG = System.getLogger(ImageUpload.class.getName());

    private static final String TYPES = Arrays.stream(ImageType.values()).map(ImageType::mimeType)
            .collect(Collectors.joining(", "));

    private final OwnedImages images;
    private final ImageStore store;
    private final ImageLimits limits;

    ImageUpload(OwnedImages images, ImageStore store, ImageLimits limits) {
        this.images = images;
        this.store = store;
        this.limits = limits;
    }

    /** @return the image's record */
    ObjectNode take(ServerRequest request, UUID owner) {
        requireType(request);
        byte[] body = body(request);
        var file = check(body);
        var bytes = ImageBytes.of(body);
        var id = TimeOrderedId.next();
        var image = new OwnedImages.Upload(id, owner, store.bucket(),
                StorageKey.ofUpload(owner, id, file.type().mimeType()), file, body.length,
                HexFormat.of().formatHex(bytes.sha256()));
        // In this order the upkeep finds the file of an upload that a crash ended.
        images.begin(image);
        store(image, bytes);
        return images.complete(id).orElseThrow(() -> Problem.exception(Status.SERVICE_UNAVAILABLE_503,
                "the image store took too long: send the picture again"));
    }

    /** Also a guard: a web page elsewhere can send these types only if this server said so beforehand. */
    private static void requireType(ServerRequest request) {
        var type = request.headers().first(HeaderNames.CONTENT_TYPE).map(text -> text.replaceFirst(";.*", "").strip());
        if (type.flatMap(ImageType::of).isEmpty()) {
            throw Problem.exception(Status.UNSUPPORTED_MEDIA_TYPE_415,
                    "send the picture itself as the body, with the Content-Type that it has: one of " + TYPES);
        }
    }

    private byte[] body(ServerRequest request) {
        int most = (int) Math.min(limits.bytes(), Integer.MAX_VALUE - 8);
        try {
            return Body.bytes(request, most,
                    "the picture has more bytes than images.bytes (IMAGES_BYTES) allows: " + most);
        } catch (IOException e) {
            throw Problem.exception(Status.BAD_REQUEST_400, "the body could not be read to its end");
        }
    }

    private ImageFile check(byte[] bytes) {
        try {
            return limits.check(bytes);
        } catch (InvalidImageException e) {
            throw Problem.exception(Problem.UNPROCESSABLE, "the body is " + e.getMessage());
        }
    }

    private void store(OwnedImages.Upload image, ImageBytes bytes) {
        try {
            store.put(image.path(), bytes, image.file().type().mimeType());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the image store did not take a picture: {0}", e.getMessage());
            throw Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the image store does not take the picture now");
        }
    }
}
