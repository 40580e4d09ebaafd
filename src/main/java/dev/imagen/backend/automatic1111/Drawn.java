package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.backend.remote.Answer;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;

/**
 * What a server drew.
 *
 * @param picture encoded
 * @param model by whichever of its names the server tells; empty: it does not
 * @param hash of the model; empty: it is not told
 */
record Drawn(byte[] picture, String model, String hash) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Empty: there is no picture in it. */
    static Optional<Drawn> of(Answer answer) {
        var json = answer.json();
        var info = info(json.path("info"));
        // A grid of all comes first where there are several.
        var base64 = json.path("images").path(info.path("index_of_first_image").asInt(0)).asText("");
        byte[] picture = decoded(base64);
        return picture.length == 0
                ? Optional.empty()
                : Optional.of(new Drawn(picture, info.path("sd_model_name").asText(""),
                        info.path("sd_model_hash").asText("")));
    }

    /** JSON in a text; some servers leave it empty. */
    private static JsonNode info(JsonNode text) {
        try {
            return text.isTextual() ? JSON.readTree(text.textValue()) : text;
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    /** Of a picture, with or without the beginning of a data URL; nothing where it is not Base64. */
    static byte[] decoded(String base64) {
        try {
            return Base64.getMimeDecoder()
                    .decode(base64.substring(base64.startsWith("data:") ? base64.indexOf(',') + 1 : 0));
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    /**
     * Whether this model drew it, as far as one can tell: a server may draw with the one that it has loaded where it
     * does not know the name. The name may be with or without folder, ending and hash.
     */
    boolean by(String asked) {
        var name = plain(asked);
        var told = plain(model);
        return told.isEmpty() || name.contains(told) || told.contains(name) || name.matches("[0-9a-f]{8,64}")
                || !hash.isEmpty() && name.contains(plain(hash));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[/\\\\]", "_").strip();
    }
}
