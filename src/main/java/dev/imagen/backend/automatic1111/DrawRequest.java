package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import java.util.Base64;

/** How a request is put to the server. */
final class DrawRequest {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Crops what has other proportions, rather than stretch it. */
    private static final int CROP_AND_RESIZE = 1;

    private DrawRequest() {}

    static String path(ImageRequest request) {
        return request.input().isPresent() ? "/sdapi/v1/img2img" : "/sdapi/v1/txt2img";
    }

    /** @param task by which the server knows the call */
    static JsonNode body(ImageRequest request, String task) {
        var body = JSON.createObjectNode().put("prompt", request.prompt())
                .put("negative_prompt", request.negativePrompt().orElse("")).put("seed", request.seed())
                .put("steps", request.steps()).put("width", request.width()).put("height", request.height())
                .put("batch_size", 1).put("n_iter", 1).put("send_images", true).put("save_images", false)
                .put("force_task_id", task);
        request.input().ifPresent(input -> begin(body, input));
        request.params().forEach((name, value) -> body.set(name, JSON.valueToTree(value)));
        var overridden = JSON.createObjectNode();
        if (!request.model().equals(Catalog.LOADED)) {
            overridden.put("sd_model_checkpoint", request.model());
        }
        if (request.params().containsKey(Catalog.CLIP_SKIP)) {
            overridden.set("CLIP_stop_at_last_layers", body.path(Catalog.CLIP_SKIP));
        }
        if (!overridden.isEmpty()) {
            body.put("override_settings_restore_afterwards", true).set("override_settings", overridden);
        }
        return body;
    }

    private static void begin(ObjectNode body, InputPicture input) {
        body.putArray("init_images").add(Base64.getEncoder().encodeToString(input.bytes()));
        body.put("denoising_strength", input.strength()).put("resize_mode", CROP_AND_RESIZE);
    }
}
