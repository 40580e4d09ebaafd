package dev.imagen.backend.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.backend.Progress;
import dev.imagen.backend.remote.Base64Picture;
import java.util.function.Predicate;

/** Hears how a picture comes about, until it is there or will not be. */
final class PictureEvents implements Predicate<JsonNode> {

    private final Progress progress;
    private JsonNode last = MissingNode.getInstance();

    PictureEvents(Progress progress) {
        this.progress = progress;
    }

    /** @return whether more is to come */
    @Override
    public boolean test(JsonNode event) {
        // The same for pictures from nothing (image_generation.…) and from another (image_edit.…).
        var type = event.path("type").asText("");
        if (type.endsWith(".partial_image")) {
            Base64Picture.read(event.path("b64_json").asText("")).ifPresent(progress::preview);
            return true;
        }
        boolean ended = type.endsWith(".completed") || type.equals("error") || event.hasNonNull("error");
        last = ended ? event : last;
        return !ended;
    }

    /** The picture, or the error; missing where the stream ended without either. */
    JsonNode last() {
        return last;
    }

    boolean completed() {
        return last.path("type").asText("").endsWith(".completed") && !last.hasNonNull("error");
    }
}
