package dev.imagen.backend.gemini;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.Picture;
import dev.imagen.backend.remote.RemotePictures;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * What a model generated.
 *
 * @param json the whole answer
 */
record Content(JsonNode json) {

    /** The finished ones. */
    List<Picture> pictures(RemotePictures encoded) throws JobFailedException {
        var pictures = new ArrayList<Picture>();
        for (JsonNode part : parts()) {
            var data = part.path("inlineData").path("data").asText("");
            if (!data.isEmpty()) {
                pictures.add(new Picture(encoded.decoded(data)));
            }
        }
        return pictures;
    }

    /** What the model said instead of a picture, or besides. */
    String words() {
        var words = new StringJoiner(" ");
        parts().forEach(part -> words.add(part.path("text").asText("")));
        return words.toString().strip();
    }

    /** A model that thinks draws drafts too, and marks them. */
    private List<JsonNode> parts() {
        var parts = new ArrayList<JsonNode>();
        for (JsonNode candidate : json.path("candidates")) {
            candidate.path("content").path("parts").forEach(parts::add);
        }
        return parts.stream().filter(part -> !part.path("thought").asBoolean()).toList();
    }

    /** Whether it is an answer of the API, whatever it tells. */
    boolean told() {
        return !blockReason().isEmpty() || json.path("candidates").path(0).isObject();
    }

    /** Why the prompt was refused; empty: it was not. */
    String blockReason() {
        return json.path("promptFeedback").path("blockReason").asText("");
    }

    /** Why the model stopped. */
    String finishReason() {
        return json.path("candidates").path(0).path("finishReason").asText("");
    }

    /** The same for a person. */
    String finishMessage() {
        return json.path("candidates").path(0).path("finishMessage").asText("");
    }

    /** Thoughts are paid for as what is shown. */
    Metered metered() {
        var usage = json.path("usageMetadata");
        var shown = tokens(usage.path("candidatesTokenCount"));
        var thought = tokens(usage.path("thoughtsTokenCount"));
        return new Metered(tokens(usage.path("promptTokenCount")),
                shown.map(tokens -> tokens + thought.orElse(0L)).or(() -> thought), Optional.empty());
    }

    private static Optional<Long> tokens(JsonNode count) {
        return Optional.of(count).filter(node -> node.canConvertToLong() && node.longValue() >= 0)
                .map(JsonNode::longValue);
    }
}
