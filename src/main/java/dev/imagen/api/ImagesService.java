package dev.imagen.api;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /images}: take in, the gallery, one record; delete and restore. */
final class ImagesService implements HttpService {

    private final OwnedImages images;
    private final ImageUpload upload;
    private final Authenticator authenticator;

    ImagesService(OwnedImages images, ImageUpload upload, Authenticator authenticator) {
        this.images = images;
        this.upload = upload;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/", this::upload).get("/", this::list).get("/{id}", this::find).delete("/{id}", this::delete)
                .post("/{id}/restore", this::restore);
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

    private void delete(ServerRequest request, ServerResponse response) {
        images.delete(authenticator.caller(request), Ids.path(request)).orElseThrow(ImagesService::noSuchImage);
        response.status(Status.NO_CONTENT_204).send();
    }

    private void restore(ServerRequest request, ServerResponse response) {
        Json.send(response, Status.OK_200, images.restore(authenticator.caller(request), Ids.path(request))
                .orElseThrow(ImagesService::noSuchImage));
    }

    /** For an unknown or deleted one and for another owner's. */
    static ProblemException noSuchImage() {
        return Problem.exception(Status.NOT_FOUND_404, "no such image");
    }
}
