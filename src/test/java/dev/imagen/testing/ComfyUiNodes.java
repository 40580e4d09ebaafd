package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Some nodes of ComfyUI, and what it refuses before it draws a graph of them. Here also inputs that no node heeds. */
final class ComfyUiNodes {

    static final List<String> CHECKPOINTS = List.of("dreamer_v8.safetensors", "sdxl/painter.safetensors");
    static final List<String> SAMPLERS = List.of("euler", "euler_ancestral", "dpmpp_2m");
    static final List<String> SCHEDULERS = List.of("normal", "karras", "sgm_uniform");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What an input takes. */
    private sealed interface Input {
        record Link(String type) implements Input {}

        record Text() implements Input {}

        record Whole(long min, long max) implements Input {}

        record Decimal(double min, double max) implements Input {}

        record Combo(List<String> values) implements Input {}

        record File() implements Input {}
    }

    /** @param outputs by type */
    private record NodeClass(Map<String, Input> inputs, List<String> outputs, boolean keeps) {}

    private static final Input.Whole SIDE = new Input.Whole(16, 16384);

    private static final Map<String, NodeClass> CLASSES = Map.ofEntries(
            Map.entry("CheckpointLoaderSimple",
                    new NodeClass(Map.of("ckpt_name", new Input.Combo(CHECKPOINTS)), List.of("MODEL", "CLIP", "VAE"),
                            false)),
            Map.entry("CLIPTextEncode",
                    new NodeClass(Map.of("text", new Input.Text(), "clip", new Input.Link("CLIP")),
                            List.of("CONDITIONING"), false)),
            Map.entry("CLIPSetLastLayer",
                    new NodeClass(
                            Map.of("clip", new Input.Link("CLIP"), "stop_at_clip_layer", new Input.Whole(-24, -1)),
                            List.of("CLIP"), false)),
            Map.entry("EmptyLatentImage",
                    new NodeClass(Map.of("width", SIDE, "height", SIDE, "batch_size", new Input.Whole(1, 4096)),
                            List.of("LATENT"), false)),
            Map.entry("LoadImage", new NodeClass(Map.of("image", new Input.File()), List.of("IMAGE", "MASK"),
                    false)),
            Map.entry("ImageScale",
                    new NodeClass(Map.of("image", new Input.Link("IMAGE"), "upscale_method",
                            new Input.Combo(List.of("nearest-exact", "bilinear", "area", "bicubic", "lanczos")),
                            "width", SIDE, "height", SIDE, "crop", new Input.Combo(List.of("disabled", "center"))),
                            List.of("IMAGE"), false)),
            Map.entry("VAEEncode",
                    new NodeClass(Map.of("pixels", new Input.Link("IMAGE"), "vae", new Input.Link("VAE")),
                            List.of("LATENT"), false)),
            Map.entry("KSampler",
                    new NodeClass(Map.of("model", new Input.Link("MODEL"), "seed", new Input.Whole(0, Long.MAX_VALUE),
                            "steps", new Input.Whole(1, 10_000), "cfg", new Input.Decimal(0, 100), "sampler_name",
                            new Input.Combo(SAMPLERS), "scheduler", new Input.Combo(SCHEDULERS), "positive",
                            new Input.Link("CONDITIONING"), "negative", new Input.Link("CONDITIONING"), "latent_image",
                            new Input.Link("LATENT"), "denoise", new Input.Decimal(0, 1)), List.of("LATENT"), false)),
            Map.entry("VAEDecode",
                    new NodeClass(Map.of("samples", new Input.Link("LATENT"), "vae", new Input.Link("VAE")),
                            List.of("IMAGE"), false)),
            Map.entry("SaveImage",
                    new NodeClass(Map.of("images", new Input.Link("IMAGE"), "filename_prefix", new Input.Text()),
                            List.of(), true)),
            Map.entry("SaveText", new NodeClass(Map.of("text", new Input.Text()), List.of(), true)),
            Map.entry("PreviewImage", new NodeClass(Map.of("images", new Input.Link("IMAGE")), List.of(), true)));

    private ComfyUiNodes() {}

    /** What {@code GET /object_info/{class}} tells; of nodes that are not there nothing. */
    static ObjectNode info(String name) {
        var info = JSON.createObjectNode();
        if (CLASSES.containsKey(name)) {
            var required = info.putObject(name).put("name", name).put("output_node", CLASSES.get(name).keeps())
                    .putObject("input").putObject("required");
            CLASSES.get(name).inputs().forEach((input, kind) -> required.set(input, described(kind)));
        }
        return info;
    }

    private static ArrayNode described(Input kind) {
        var described = JSON.createArrayNode();
        switch (kind) {
            case Input.Combo(var values) -> values.forEach(described.addArray()::add);
            case Input.Link(var type) -> described.add(type);
            case Input.Whole(var min, var max) -> described.add("INT").addObject().put("min", min).put("max", max);
            case Input.Decimal(var min, var max) -> described.add("FLOAT").addObject().put("min", min).put("max", max);
            case Input.Text() -> described.add("STRING");
            case Input.File() -> described.addArray();
        }
        return described;
    }

    /**
     * What the real server answers with 400; empty: nothing is wrong.
     *
     * @param files whether there is such a picture to load
     */
    static ObjectNode wrong(JsonNode graph, Predicate<String> files) {
        boolean keeps = false;
        for (Map.Entry<String, JsonNode> node : graph.properties()) {
            var name = node.getValue().path("class_type").asText();
            if (!CLASSES.containsKey(name)) {
                return error("invalid_prompt", "Cannot execute because node " + name + " does not exist.",
                        "Node ID '#" + node.getKey() + "'");
            }
            keeps |= CLASSES.get(name).keeps();
        }
        if (!keeps) {
            return error("prompt_no_outputs", "Prompt has no outputs", "");
        }
        var errors = JSON.createObjectNode();
        graph.properties().forEach(node -> check(node.getKey(), node.getValue(), graph, files, errors));
        if (errors.isEmpty()) {
            return errors;
        }
        var answer = error("prompt_outputs_failed_validation", "Prompt outputs failed validation", "");
        answer.set("node_errors", errors);
        return answer;
    }

    private static ObjectNode error(String type, String message, String details) {
        var answer = JSON.createObjectNode();
        answer.putObject("error").put("type", type).put("message", message).put("details", details)
                .putObject("extra_info");
        answer.putObject("node_errors");
        return answer;
    }

    private static void check(String id, JsonNode node, JsonNode graph, Predicate<String> files, ObjectNode errors) {
        var name = node.path("class_type").asText();
        var inputs = CLASSES.get(name).inputs();
        inputs.forEach((input, kind) -> {
            var value = node.path("inputs").path(input);
            var wrong = value.isMissingNode() ? "Required input is missing" : wrong(value, kind, graph, files);
            if (wrong != null) {
                add(errors, id, name, input, wrong, details(input, value, kind));
            }
        });
        node.path("inputs").fieldNames().forEachRemaining(input -> {
            if (!inputs.containsKey(input)) {
                add(errors, id, name, input, "No node heeds this", input);
            }
        });
    }

    private static String details(String input, JsonNode value, Input kind) {
        return kind instanceof Input.Combo(var values) && !value.isMissingNode()
                ? input + ": '" + value.asText() + "' not in " + values.toString().replaceAll("([^\\[\\], ]+)", "'$1'")
                : input;
    }

    private static String wrong(JsonNode value, Input kind, JsonNode graph, Predicate<String> files) {
        return switch (kind) {
            case Input.Link(var type) -> {
                var from = CLASSES.get(graph.path(value.path(0).asText()).path("class_type").asText());
                yield from != null && from.outputs().size() > value.path(1).asInt()
                        && from.outputs().get(value.path(1).asInt()).equals(type)
                                ? null
                                : "Return type mismatch between linked nodes";
            }
            case Input.Text() -> value.isTextual() ? null : "Failed to convert an input value to a STRING value";
            case Input.Whole(var min, var max) when value.isIntegralNumber() -> value.longValue() < min
                    ? "Value " + value + " smaller than min of " + min
                    : value.longValue() > max ? "Value " + value + " bigger than max of " + max : null;
            case Input.Whole _ -> "Failed to convert an input value to a INT value";
            case Input.Decimal(var min, var max) when value.isNumber() ->
                value.doubleValue() < min || value.doubleValue() > max
                        ? "Value " + value + " bigger than max of " + max
                        : null;
            case Input.Decimal _ -> "Failed to convert an input value to a FLOAT value";
            case Input.Combo(var values) -> values.contains(value.asText()) ? null : "Value not in list";
            case Input.File() -> files.test(value.asText()) ? null : "Custom validation failed for node";
        };
    }

    private static void add(ObjectNode errors, String id, String name, String input, String message, String details) {
        var node = errors.withObject("/" + id).put("class_type", name);
        node.withArray("dependent_outputs");
        node.withArray("errors").addObject()
                .put("type", message.equals("Value not in list") ? "value_not_in_list" : "x").put("message", message)
                .put("details", details).putObject("extra_info").put("input_name", input);
    }
}
