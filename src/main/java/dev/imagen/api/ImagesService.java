package dev.imagen.api;

import dev.imagen.image.ImageType;
import dev.imagen.storage.ImageStore.Content;
import dev.imagen.storage.ImageStores;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.util.UUID;

/** {@code /images}: take in, the gallery, one record, its bytes; delete and restore. */
final class ImagesService implements HttpService {

    private static final System.Logger LOG = System.getLogger(ImagesService.class.getName());

    private final OwnedImages images;
    private final ImageStores stores;
    private final ImageUpload upload;
    private final Authenticator authenticator;

    ImagesService(OwnedImages images, ImageStores stores, ImageUpload upload, Authenticator authenticator) {
        this.images = images;
        this.upload = upload;
        this.stores = stores;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/", this::upload).get("/", this::list).get("/{id}", this::find).get("/{id}/content", this::content)
                .delete("/{id}", this::delete).post("/{id}/restore", this::restore);
    }

    private void list(ServerRequest request, ServerResponse response) {
        var caller = authenticator.caller(request);
        var query = new QueryParameters(request, "limit", "cursor", Owners.NAME);
        int limit = query.limit();
        var found = images.list(caller, Owners.asked(request, caller), query.cursor(), limit + 1);
        var page = Json.object();
        var list = page.putArray("images");
        found.stream().limit(limit).forEach(image -> list.add(image.json()));
        page.put("next_cursor",
                found.size() > limit ? QueryParameters.cursorText(found.get(limit - 1).cursor()) : null);
        Json.send(response, Status.OK_200, page);
    }

    private void upload(ServerRequest request, ServerResponse response) {
        var caller = authenticator.caller(request);
        var image = upload.take(request, Owners.asked(request, caller));
        response.headers().set(HeaderNames.LOCATION, "/images/" + image.path("id").textValue());
        Json.send(response, Status.CREATED_201, image);
    }

    private void find(ServerRequest request, ServerResponse response) {
        Json.send(response, Status.OK_200,
                images.find(authenticator.caller(request), Ids.path(request)).orElseThrow(ImagesService::noSuchImage));
    }

    /** The bytes, or the way to them. They never change: a client that has them need not ask again. */
    private void content(ServerRequest request, ServerResponse response) {
        var image = images.bytes(authenticator.caller(request), Ids.path(request))
                .orElseThrow(ImagesService::noSuchImage);
        var etag = "\"" + image.sha256() + "\"";
        if (request.headers().values(HeaderNames.IF_NONE_MATCH).stream().anyMatch(sent -> sent.contains(etag))) {
            keep(response, etag);
            response.status(Status.NOT_MODIFIED_304).send();
            return;
        }
        switch (stored(image)) {
            case Content.Stream stream -> {
                keep(response, etag);
                setType(response, image.mimeType(), Ids.path(request));
                send(response, stream);
            }
            case Content.Link link -> redirect(response, link);
        }
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

    private Content stored(OwnedImages.StoredBytes image) {
        var store = stores.of(image.bucket()).orElseThrow(() -> {
            LOG.log(Level.WARNING, "an image is in the store {0}, which this process has no settings for",
                    image.bucket());
            return Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the image is in a store that this process has no"
                    + " settings for: whoever runs it can add them (storage.* in docs/setup.md)");
        });
        try {
            return store.content(image.path()).orElseThrow(() -> Problem.exception(Status.GONE_410,
                    "the image is recorded but its file is gone from the store"));
        } catch (IllegalArgumentException e) {
            // Written to the row by somebody else: no store keeps anything under such a key.
            throw Problem.exception(Status.GONE_410, "the image is recorded, but under a path that no store has");
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the image store did not answer: {0}", e.getMessage());
            throw Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the image store does not answer now");
        }
    }

    private void delete(ServerRequest request, ServerResponse response) {
        images.delete(authenticator.caller(request), Ids.path(request)).orElseThrow(ImagesService::noSuchImage);
        response.status(Status.NO_CONTENT_204).send();
    }

    private void restore(ServerRequest request, ServerResponse response) {
        Json.send(response, Status.OK_200, images.restore(authenticator.caller(request), Ids.path(request))
                .orElseThrow(ImagesService::noSuchImage));
    }

    private static ProblemException noSuchImage() {
        return Problem.exception(Status.NOT_FOUND_404, "no such image");
    }
}
