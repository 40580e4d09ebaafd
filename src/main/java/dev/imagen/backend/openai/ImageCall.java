package dev.imagen.backend.openai;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.remote.Content;
import dev.imagen.backend.remote.Multipart;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a request is put to the server: as JSON, or as a form where it begins with a picture. */
final class ImageCall {

    /** How many pictures in the making a job wants to see. */
    static final String PREVIEWS = "partial_images";

    private static final ObjectMapper JSON = new ObjectMapper();

    private ImageCall() {}

    /** Below the URL of the API. */
    static String path(ImageRequest request) {
        return request.input().isPresent() ? "/images/edits" : "/images/generations";
    }

    static int previews(ImageRequest request) {
        return ((Number) request.params().getOrDefault(PREVIEWS, 0)).intValue();
    }

    /** A stream has one picture: its events do not say of which of several they are. */
    static int pictures(ImageRequest request) {
        return previews(request) > 0 ? 1 : request.count();
    }

    static Content content(ImageRequest request) {
        var fields = fields(request);
        return request.input().map(input -> form(fields, input))
                .orElseGet(() -> Content.json(JSON.valueToTree(fields)));
    }

    private static Content form(Map<String, Object> fields, InputPicture input) {
        var form = new Multipart();
        fields.forEach((name, value) -> form.field(name, value.toString()));
        var ending = input.mimeType().substring(input.mimeType().indexOf('/') + 1);
        return form.file("image", "image." + ending, input.mimeType(), input.bytes()).content();
    }

    private static Map<String, Object> fields(ImageRequest request) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("model", request.model());
        fields.put("prompt", request.prompt());
        fields.put("size", request.size().toString());
        if (pictures(request) > 1) {
            fields.put("n", pictures(request));
        }
        if (ModelFamily.of(request.model()).takesResponseFormat()) {
            fields.put("response_format", "b64_json");
        }
        fields.putAll(request.params());
        fields.remove(PREVIEWS);
        if (previews(request) > 0) {
            fields.put("stream", true);
            fields.put(PREVIEWS, previews(request));
        }
        return fields;
    }
}
