package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.database.Row;
import java.util.HexFormat;
import java.util.UUID;

/** A row of {@code imagen.images} as JSON; where the bytes are kept stays inside. */
final class ImageJson {

    private ImageJson() {}

    static String url(UUID id) {
        return "/images/" + id + "/content";
    }

    static ObjectNode of(Row row) {
        var node = Json.object().put("id", row.uuid("id").toString())
                .put("job_id", JobJson.text(row.optionalUuid("job_id"))).put("position", row.integer("position"))
                .put("owner_user_id", row.uuid("owner_user_id").toString()).put("url", url(row.uuid("id")))
                .put("mime_type", row.text("mime_type")).put("width", row.integer("width"))
                .put("height", row.integer("height")).put("byte_size", row.whole("byte_size"))
                .put("sha256", HexFormat.of().formatHex(row.bytes("sha256"))).put("backend", row.text("backend"))
                .put("model", row.text("model")).put("prompt", row.text("prompt"))
                .put("negative_prompt", row.text("negative_prompt")).put("style", row.text("style"))
                .put("seed", row.optionalWhole("seed").orElse(null))
                .put("steps", row.optionalInteger("steps").orElse(null))
                .put("created_at", row.instant("created_at").toString());
        node.set("request", row.optionalJson("request").map(Json::read).orElse(null));
        return node;
    }
}
