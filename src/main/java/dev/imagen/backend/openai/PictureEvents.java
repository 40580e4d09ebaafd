package dev.imagen.backend.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.backend.Progress;
import dev.imagen.backend.remote.Base64Picture;
import java.util.function.Predicate;

/** Hears how a picture comes about, until it is there or will not be. */
final class PictureEvents implements Predicate<JsonNode> {

    private final Progress progress;
    private final int previews;
    private int seen;
    private JsonNode last = MissingNode.getInstance();

    /** @param previews that were asked for; each is a step, and the picture the last one */
    PictureEvents(Progress progress, int previews) {
        this.progress = progress;
        this.previews = previews;
    }

    /** @return whether more is to come */
    @Override
    public boolean test(JsonNode event) {
        // The same for pictures from nothing (image_generation.…) and from another (image_edit.…).
        var type = event.path("type").asText("");
        if (type.endsWith(".partial_image")) {
            Base64Picture.read(event.path("b64_json").asText("")).ifPresent(this::preview);
            return true;
        }
        boolean ended = type.endsWith(".completed") || type.equals("error") || event.hasNonNull("error");
        last = ended ? event : last;
        return !ended;
    }

    private void preview(byte[] picture) {
        if (seen < previews) {
            seen++;
            progress.finished(seen, previews + 1);
        }
        progress.preview(picture);
    }

    /** The picture, or the error; missing where the stream ended without either. */
    JsonNode last() {
        return last;
    }

    boolean completed() {
        return last.path("type").asText("").endsWith(".completed") && !last.hasNonNull("error");
    }
}
