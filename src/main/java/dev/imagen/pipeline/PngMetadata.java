package dev.imagen.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.imagen.image.ImageBytes;
import dev.imagen.image.PngChunks;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes into a PNG how it was made, twice: {@code parameters} in the form of the AUTOMATIC1111 web UI, which most
 * programs for generated pictures read, and {@code imagen} as JSON that holds the job to make it again.
 */
final class PngMetadata {

    private static final ObjectMapper JSON = new ObjectMapper();

    private PngMetadata() {}

    /**
     * The same picture with its parameters.
     *
     * @throws IllegalArgumentException when the bytes are no whole PNG
     */
    static ImageBytes add(byte[] png, GenerationParameters parameters) {
        return PngChunks.insertBeforeImageData(png, List.of(PngChunks.text("parameters", infotext(parameters)),
                PngChunks.text("imagen", json(parameters))));
    }

    private static String infotext(GenerationParameters parameters) {
        var negative = parameters.negativePrompt().filter(text -> !text.isEmpty());
        return parameters.prompt() + negative.map(text -> "\nNegative prompt: " + text).orElse("") + "\n"
                + values(parameters).entrySet().stream().map(value -> value.getKey() + ": " + quote(value.getValue()))
                        .collect(Collectors.joining(", "));
    }

    /** In the web UI's order: some readers go by it. */
    private static Map<String, String> values(GenerationParameters parameters) {
        var values = new LinkedHashMap<String, String>();
        parameters.steps().ifPresent(steps -> values.put("Steps", String.valueOf(steps)));
        parameters.seed().ifPresent(seed -> values.put("Seed", String.valueOf(seed)));
        values.put("Size", parameters.width() + "x" + parameters.height());
        values.put("Model", parameters.model());
        values.put("Version", "ImaGen");
        return values;
    }

    /** The web UI's rule: a value that holds a separator is written as a JSON string. */
    private static String quote(String value) {
        return value.matches("(?s).*[,\n:].*") ? TextNode.valueOf(value).toString() : value;
    }

    /** All that a job's fields need to ask for the same picture again, under their names. */
    private static String json(GenerationParameters parameters) {
        var asked = parameters.asked();
        var json = JSON.createObjectNode();
        json.put("prompt", asked.prompt());
        asked.negativePrompt().ifPresent(text -> json.put("negative_prompt", text));
        asked.style().ifPresent(name -> json.put("style", name));
        json.put("backend", parameters.backend());
        json.put("model", parameters.model());
        json.put("width", parameters.width());
        json.put("height", parameters.height());
        parameters.steps().ifPresent(steps -> json.put("steps", steps));
        parameters.seed().ifPresent(seed -> json.put("seed", seed));
        if (!asked.params().isEmpty()) {
            json.set("params", JSON.valueToTree(asked.params()));
        }
        asked.inputImageId().ifPresent(id -> json.put("input_image_id", id.toString()));
        parameters.strength().ifPresent(strength -> json.put("strength", strength));
        json.put("prompt_sent", parameters.prompt());
        parameters.negativePrompt().ifPresent(text -> json.put("negative_prompt_sent", text));
        return json.toString();
    }
}
