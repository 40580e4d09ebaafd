package dev.imagen.api;

import dev.imagen.api.OwnedImages.StoredBytes;
import dev.imagen.image.ImageType;
import dev.imagen.image.Thumbnail;
import dev.imagen.storage.ImageStore.Content;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.UUID;

/**
 * {@code /images}: the bytes of an image, whole or small, and where they are. They never change: who has them need not
 * ask again.
 */
final class ImageBytesService implements HttpService {

    private final OwnedImages images;
    private final StoredImages stored;
    private final Thumbnails thumbnails;
    private final Authenticator authenticator;

    ImageBytesService(OwnedImages images, StoredImages stored, Thumbnails thumbnails, Authenticator authenticator) {
        this.images = images;
        this.stored = stored;
        this.thumbnails = thumbnails;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/{id}/content", this::content).get("/{id}/thumbnail", this::thumbnail).get("/{id}/link", this::link);
    }

    private void content(ServerRequest request, ServerResponse response) {
        var id = Ids.path(request);
        var image = images.bytes(authenticator.caller(request), id).orElseThrow(ImagesService::noSuchImage);
        sendWhole(request, response, id, image);
    }

    /** What cannot be made small is answered as it is, which a browser shows just as well. */
    private void thumbnail(ServerRequest request, ServerResponse response) {
        var id = Ids.path(request);
        var found = thumbnails.find(authenticator.caller(request), id).orElseThrow(ImagesService::noSuchImage);
        var etag = "\"" + found.image().sha256() + "-" + Thumbnail.LONGER_SIDE + "\"";
        if (has(request, etag)) {
            sendNothingNew(response, etag);
            return;
        }
        var jpeg = found.jpeg().or(() -> thumbnails.make(id, found.image()));
        if (jpeg.isEmpty()) {
            sendWhole(request, response, id, found.image());
            return;
        }
        keep(response, etag);
        setType(response, ImageType.JPEG.mimeType(), id);
        response.send(jpeg.get());
    }

    /** Where the bytes are: a URL that needs no header, as in an {@code img}, or with files of this machine ours. */
    private void link(ServerRequest request, ServerResponse response) {
        var id = Ids.path(request);
        var image = images.bytes(authenticator.caller(request), id).orElseThrow(ImagesService::noSuchImage);
        var answer = switch (stored.content(image)) {
            case Content.Stream stream -> {
                close(stream);
                yield Json.object().put("url", ImageJson.url(id)).putNull("expires_at");
            }
            case Content.Link link -> Json.object().put("url", link.url().toString()).put("expires_at",
                    Instant.now().plus(link.lifetime()).toString());
        };
        Json.send(response, Status.OK_200, answer);
    }

    private static void close(Content.Stream stream) {
        try {
            stream.bytes().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void sendWhole(ServerRequest request, ServerResponse response, UUID id, StoredBytes image) {
        var etag = "\"" + image.sha256() + "\"";
        if (has(request, etag)) {
            sendNothingNew(response, etag);
            return;
        }
        switch (stored.content(image)) {
            case Content.Stream stream -> {
                keep(response, etag);
                setType(response, image.mimeType(), id);
                send(response, stream);
            }
            case Content.Link link -> redirect(response, link);
        }
    }

    private static boolean has(ServerRequest request, String etag) {
        return request.headers().values(HeaderNames.IF_NONE_MATCH).stream().anyMatch(sent -> sent.contains(etag));
    }

    private static void sendNothingNew(ServerResponse response, String etag) {
        keep(response, etag);
        response.status(Status.NOT_MODIFIED_304).send();
    }

    private static void send(ServerResponse response, Content.Stream stream) {
        response.headers().contentLength(stream.length());
        try (var bytes = stream.bytes(); var out = response.outputStream()) {
            bytes.transferTo(out);
        } catch (IOException e) {
            // The length is told: what is missing then is seen as such.
            throw new UncheckedIOException(e);
        }
    }

    /** Shown by a browser only where it is a picture, whatever was written to the row by SQL. */
    private static void setType(ServerResponse response, String mimeType, UUID id) {
        var type = ImageType.of(mimeType);
        response.headers().set(HeaderNames.CONTENT_TYPE,
                type.map(ImageType::mimeType).orElse("application/octet-stream"));
        response.headers().set(HeaderNames.CONTENT_DISPOSITION,
                type.map(known -> "inline; filename=\"" + id + "." + known.extension() + "\"").orElse("attachment"));
    }

    private static void keep(ServerResponse response, String etag) {
        response.headers().set(HeaderNames.ETAG, etag);
        response.headers().set(HeaderNames.CACHE_CONTROL, "private, max-age=31536000, immutable");
    }

    /** Kept for half of its lifetime, so that who comes late to it still has the other half to follow it. */
    private static void redirect(ServerResponse response, Content.Link link) {
        response.headers().set(HeaderNames.LOCATION, link.url().toString());
        response.headers().set(HeaderNames.CACHE_CONTROL,
                "private, max-age=" + link.lifetime().dividedBy(2).toSeconds());
        response.status(Status.FOUND_302).send();
    }
}
