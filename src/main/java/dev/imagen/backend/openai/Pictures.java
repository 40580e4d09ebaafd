package dev.imagen.backend.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.Generation;
import dev.imagen.backend.Picture;
import dev.imagen.backend.remote.RemotePictures;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.util.ArrayList;
import java.util.Optional;

/** Takes the pictures out of an answer, and what they used. */
final class Pictures {

    private final RemotePictures sent;

    Pictures(RemotePictures sent) {
        this.sent = sent;
    }

    /**
     * Of several only those that are there: a provider may withhold one of them.
     *
     * @param most pictures
     */
    Generation of(JsonNode answer, int most) throws JobFailedException, InterruptedException {
        var pictures = new ArrayList<Picture>();
        for (JsonNode picture : answer.path("data")) {
            if (pictures.size() < most) {
                bytes(picture).map(Picture::new).ifPresent(pictures::add);
            }
        }
        return new Generation(pictures, metered(answer.path("usage")));
    }

    /** Of the event that ends a stream. */
    Generation of(JsonNode event) throws JobFailedException, InterruptedException {
        return new Generation(bytes(event).map(Picture::new).stream().toList(), metered(event.path("usage")));
    }

    private Optional<byte[]> bytes(JsonNode picture) throws JobFailedException, InterruptedException {
        var base64 = picture.path("b64_json").asText("");
        var url = picture.path("url").asText("");
        if (base64.isEmpty() && url.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(base64.isEmpty() ? sent.at(url) : sent.decoded(base64));
    }

    /** Of input and output, pictures included. */
    private static Metered metered(JsonNode usage) {
        return new Metered(tokens(usage.path("input_tokens")), tokens(usage.path("output_tokens")), Optional.empty());
    }

    private static Optional<Long> tokens(JsonNode count) {
        return Optional.of(count).filter(node -> node.canConvertToLong() && node.longValue() >= 0)
                .map(JsonNode::longValue);
    }
}
