package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads a workflow, and refuses what could not be drawn, in words that complete "flux.json …". */
final class WorkflowReader {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Nodes of ComfyUI itself that keep no picture. What else a node may do, only the server knows; it refuses a graph
     * in which none does.
     */
    private static final Pattern KEEPS_NOTHING = Pattern
            .compile("PreviewImage|SaveImageWebsocket|SaveLatent|MaskPreview"
                    + "|VAE(De|En)code.*|KSampler.*|SamplerCustom.*|CLIP.*|Conditioning.*|Empty.*Latent.*|Latent.*"
                    + "|LoadImage.*|Image(Scale|Batch|Invert|Upscale).*|.*Loader.*|.*Guider|.*Scheduler|RandomNoise");

    private WorkflowReader() {}

    /**
     * @param name that jobs ask for it by
     * @throws IllegalArgumentException with what is wrong with it
     */
    static Workflow read(String name, byte[] json) {
        var graph = graph(json);
        graph.properties().forEach(node -> checkNode(node.getKey(), node.getValue(), graph));
        checkEnds(graph);
        return WorkflowPlaceholders.found(name, graph);
    }

    private static ObjectNode graph(byte[] json) {
        var read = parsed(json);
        if (!(read instanceof ObjectNode graph) || graph.isEmpty()) {
            throw new IllegalArgumentException("is no JSON object of nodes");
        }
        if (graph.path("nodes").isArray()) {
            throw new IllegalArgumentException("is in the format of ComfyUI's editor: export it in the other one, by"
                    + " File, Export (API), in older versions Save (API Format)");
        }
        return graph;
    }

    private static JsonNode parsed(byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            throw new IllegalArgumentException("is no JSON: " + e.getOriginalMessage()
                    + (at == null ? "" : " in line " + at.getLineNr() + ", column " + at.getColumnNr()), e);
        } catch (IOException e) {
            throw new IllegalArgumentException("is no JSON: " + e.getMessage(), e);
        }
    }

    private static void checkNode(String id, JsonNode node, ObjectNode graph) {
        if (!node.path("class_type").isTextual() || !node.path("inputs").isObject()) {
            throw new IllegalArgumentException("has the node " + id + " without class_type and inputs, and so is not in"
                    + " ComfyUI's format for the API");
        }
        for (Map.Entry<String, JsonNode> input : node.path("inputs").properties()) {
            if (isLink(input.getValue()) && !graph.has(input.getValue().path(0).textValue())) {
                throw new IllegalArgumentException("has the node " + id + " whose " + input.getKey()
                        + " comes from the node " + input.getValue().path(0).textValue() + ", which is not there");
            }
        }
    }

    private static boolean isLink(JsonNode input) {
        return input.isArray() && input.size() == 2 && input.path(0).isTextual() && input.path(1).isNumber();
    }

    /** What no other node takes up has to be kept by somebody. */
    private static void checkEnds(ObjectNode graph) {
        var ends = new TreeSet<String>();
        graph.fieldNames().forEachRemaining(ends::add);
        for (JsonNode node : graph) {
            for (JsonNode input : node.path("inputs")) {
                if (isLink(input)) {
                    ends.remove(input.path(0).textValue());
                }
            }
        }
        var classes = ends.stream().map(id -> graph.path(id).path("class_type").textValue()).distinct().toList();
        if (classes.stream().allMatch(name -> KEEPS_NOTHING.matcher(name).matches())) {
            throw new IllegalArgumentException("has no output node: it ends in " + joined(classes)
                    + ", of which no picture is kept; add the node Save Image (SaveImage)");
        }
    }

    private static String joined(List<String> classes) {
        return classes.isEmpty() ? "a circle" : classes.stream().collect(Collectors.joining(", "));
    }
}
