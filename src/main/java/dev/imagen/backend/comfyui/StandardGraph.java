package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import java.util.Optional;

/** ComfyUI's own graph from text to a picture, or from a picture to another one, for any checkpoint. */
final class StandardGraph {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String CHECKPOINT = "4";
    private static final String CLIP = "13";

    /** As the nodes have them. */
    private static final double USUAL_CFG = 8;
    private static final String USUAL_SAMPLER = "euler";
    private static final String USUAL_SCHEDULER = "normal";

    private final ObjectNode graph = JSON.createObjectNode();
    private final ImageRequest request;

    private StandardGraph(ImageRequest request) {
        this.request = request;
    }

    /**
     * @param picture to begin with, as LoadImage names it
     * @param prefix of the files that the server keeps
     */
    static ObjectNode of(ImageRequest request, String checkpoint, Optional<String> picture, String prefix) {
        var made = new StandardGraph(request);
        made.node(CHECKPOINT, "CheckpointLoaderSimple").put("ckpt_name", checkpoint);
        made.text("6", request.prompt());
        made.text("7", request.negativePrompt().orElse(""));
        picture.ifPresentOrElse(made::fromPicture, made::fromNothing);
        made.sampler();
        var decode = made.node("8", "VAEDecode");
        decode.set("samples", link("3", 0));
        decode.set("vae", link(CHECKPOINT, 2));
        made.node("9", "SaveImage").put("filename_prefix", prefix).set("images", link("8", 0));
        return made.graph;
    }

    private ObjectNode node(String id, String type) {
        return graph.putObject(id).put("class_type", type).putObject("inputs");
    }

    private static ArrayNode link(String id, int output) {
        return JSON.createArrayNode().add(id).add(output);
    }

    private void text(String id, String text) {
        node(id, "CLIPTextEncode").put("text", text).set("clip", clip());
    }

    private ArrayNode clip() {
        if (!(request.params().get(StandardParameters.CLIP_SKIP) instanceof Number layers)) {
            return link(CHECKPOINT, 1);
        }
        if (!graph.has(CLIP)) {
            node(CLIP, "CLIPSetLastLayer").put("stop_at_clip_layer", -layers.intValue()).set("clip",
                    link(CHECKPOINT, 1));
        }
        return link(CLIP, 0);
    }

    private void fromNothing() {
        node("5", "EmptyLatentImage").put("width", request.width()).put("height", request.height()).put("batch_size",
                1);
    }

    private void fromPicture(String picture) {
        node("10", "LoadImage").put("image", picture);
        node("11", "ImageScale").put("upscale_method", "lanczos").put("width", request.width())
                .put("height", request.height()).put("crop", "center").set("image", link("10", 0));
        var encode = node("5", "VAEEncode");
        encode.set("pixels", link("11", 0));
        encode.set("vae", link(CHECKPOINT, 2));
    }

    private void sampler() {
        var sampler = node("3", "KSampler").put("seed", request.seed()).put("steps", request.steps()).put("cfg",
                request.params().get(StandardParameters.CFG) instanceof Number cfg ? cfg.doubleValue() : USUAL_CFG)
                .put(StandardParameters.SAMPLER, text(StandardParameters.SAMPLER, USUAL_SAMPLER, request))
                .put(StandardParameters.SCHEDULER, text(StandardParameters.SCHEDULER, USUAL_SCHEDULER, request))
                .put("denoise", request.input().map(InputPicture::strength).orElse(1.0));
        sampler.set("model", link(CHECKPOINT, 0));
        sampler.set("positive", link("6", 0));
        sampler.set("negative", link("7", 0));
        sampler.set("latent_image", link("5", 0));
    }

    private static String text(String parameter, String usual, ImageRequest request) {
        return request.params().get(parameter) instanceof String text ? text : usual;
    }
}
