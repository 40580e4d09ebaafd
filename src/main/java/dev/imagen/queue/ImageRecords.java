package dev.imagen.queue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.job.NewImage;
import java.util.HexFormat;
import java.util.List;

/** New images as the JSON array that the finish unpacks into rows. */
final class ImageRecords {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What {@code jsonb_to_recordset} makes of {@link #array}. */
    static final String COLUMNS = """
            id uuid, position smallint, bucket text, path text, mime_type text, width int, height int,
            byte_size bigint, sha256 text, backend text, model text, prompt text, negative_prompt text,
            style text, seed bigint, steps int
            """;

    private ImageRecords() {}

    static ArrayNode array(List<NewImage> images) {
        var array = JSON.createArrayNode();
        for (int position = 0; position < images.size(); position++) {
            fill(array.addObject(), images.get(position)).put("position", position);
        }
        return array;
    }

    private static ObjectNode fill(ObjectNode node, NewImage image) {
        return node.put("id", image.id().toString()).put("bucket", image.bucket()).put("path", image.path())
                .put("mime_type", image.mimeType()).put("width", image.width()).put("height", image.height())
                .put("byte_size", image.byteSize()).put("sha256", HexFormat.of().formatHex(image.sha256()))
                .put("backend", image.backend()).put("model", image.model()).put("prompt", image.prompt())
                .put("negative_prompt", image.negativePrompt().orElse(null)).put("style", image.style().orElse(null))
                .put("seed", image.seed().orElse(null)).put("steps", image.steps().orElse(null));
    }
}
