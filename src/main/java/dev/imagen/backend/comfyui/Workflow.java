package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Parameter;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A user's own graph of nodes, as ComfyUI exports it for its API, with placeholders for what a job says.
 *
 * @param name under which jobs ask for it
 * @param graph nodes by id; not to be changed
 * @param fields that it has placeholders for, each with what is taken where a job says nothing
 * @param parameters that it has placeholders for
 */
record Workflow(String name, ObjectNode graph, Map<String, Optional<String>> fields,
        List<WorkflowParameter> parameters) {

    static final String PROMPT = "prompt";
    static final String NEGATIVE = "negative";
    static final String SEED = "seed";
    static final String WIDTH = "width";
    static final String HEIGHT = "height";
    static final String STEPS = "steps";
    /** A checkpoint. */
    static final String MODEL = "model";
    /** The picture to begin with, as LoadImage names it. */
    static final String IMAGE = "image";
    static final String STRENGTH = "strength";

    /** All fields of a job that a workflow can have placeholders for. */
    static final Set<String> FIELDS = Set.of(PROMPT, NEGATIVE, SEED, WIDTH, HEIGHT, STEPS, MODEL, IMAGE, STRENGTH);

    /**
     * A parameter, and what is taken where a job does not set it.
     *
     * @param usual of the parameter's kind
     */
    record WorkflowParameter(Parameter parameter, JsonNode usual) {}

    /** Whether there is a placeholder for a field. */
    boolean takes(String field) {
        return fields.containsKey(field);
    }

    /** A number that the workflow names for a field. */
    Optional<Integer> usual(String field) {
        return fields.getOrDefault(field, Optional.empty()).map(Integer::valueOf);
    }

    /** What a job may set. */
    Set<Feature> features() {
        var features = EnumSet.noneOf(Feature.class);
        Map.of(NEGATIVE, Feature.NEGATIVE_PROMPT, SEED, Feature.SEED, STEPS, Feature.STEPS, IMAGE, Feature.INPUT_IMAGE,
                STRENGTH, Feature.STRENGTH).forEach((field, feature) -> {
                    if (takes(field)) {
                        features.add(feature);
                    }
                });
        return features;
    }

    /**
     * The graph of one job.
     *
     * @param values of all placeholders, by name
     */
    ObjectNode filled(Map<String, JsonNode> values) {
        var filled = graph.deepCopy();
        filled.properties().forEach(node -> {
            var inputs = (ObjectNode) node.getValue().path("inputs");
            inputs.properties().forEach(input -> input.setValue(filled(input.getValue(), values)));
        });
        return filled;
    }

    private static JsonNode filled(JsonNode input, Map<String, JsonNode> values) {
        return switch (input) {
            case TextNode text -> filled(text.textValue(), values);
            case ObjectNode object -> {
                object.properties().forEach(entry -> entry.setValue(filled(entry.getValue(), values)));
                yield object;
            }
            case ArrayNode array -> {
                for (int i = 0; i < array.size(); i++) {
                    array.set(i, filled(array.get(i), values));
                }
                yield array;
            }
            default -> input;
        };
    }

    /** A placeholder alone becomes a number where that is what the job says; within a text it becomes text. */
    private static JsonNode filled(String text, Map<String, JsonNode> values) {
        return Placeholder.alone(text).map(alone -> values.get(alone.name()))
                .orElseGet(() -> TextNode.valueOf(Placeholder.replaced(text, name -> values.get(name).asText())));
    }
}
