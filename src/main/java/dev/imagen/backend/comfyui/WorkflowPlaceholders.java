package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.comfyui.Workflow.WorkflowParameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the placeholders of a workflow, and refuses those that cannot be filled. */
final class WorkflowPlaceholders {

    /** Of these a workflow may know better than the backend what is usual. */
    private static final Set<String> WITH_USUAL = Set.of(Workflow.NEGATIVE, Workflow.WIDTH, Workflow.HEIGHT,
            Workflow.STEPS);

    /** Numbers that JSON readers everywhere know exactly. */
    private static final long LARGEST_WHOLE = (1L << 53) - 1;

    private static final double LARGEST_DECIMAL = 1_000_000;
    private static final int LONGEST_TEXT = 1000;

    private WorkflowPlaceholders() {}

    /** @throws IllegalArgumentException as of {@link WorkflowReader#read} */
    static Workflow found(String name, ObjectNode graph) {
        var found = new LinkedHashMap<String, Placeholder>();
        graph.forEach(node -> collect(node.path("inputs"), found));
        var fields = new LinkedHashMap<String, Optional<String>>();
        var parameters = new ArrayList<WorkflowParameter>();
        for (Placeholder placeholder : found.values()) {
            placeholder.parameter().ifPresentOrElse(
                    parameter -> parameters.add(parameter(name, parameter, placeholder)),
                    () -> fields.put(placeholder.name(), usual(placeholder)));
        }
        checkTogether(fields);
        return new Workflow(name, graph, Map.copyOf(fields), parameters);
    }

    private static void collect(JsonNode input, Map<String, Placeholder> found) {
        if (input.isTextual()) {
            Placeholder.in(input.textValue())
                    .forEach(placeholder -> found.merge(placeholder.name(), placeholder, WorkflowPlaceholders::same));
        }
        input.forEach(part -> collect(part, found));
    }

    private static Placeholder same(Placeholder one, Placeholder other) {
        if (one.usual().isPresent() && other.usual().isPresent() && !one.equals(other)) {
            throw new IllegalArgumentException("has " + one + " and " + other + ": say what is usual once");
        }
        return one.usual().isPresent() ? one : other;
    }

    private static Optional<String> usual(Placeholder placeholder) {
        if (!Workflow.FIELDS.contains(placeholder.name())) {
            throw new IllegalArgumentException("has the placeholder " + placeholder + ", which is unknown: use one of "
                    + String.join(", ", Workflow.FIELDS.stream().sorted().map(field -> "{{" + field + "}}").toList())
                    + " or one for a parameter, such as {{params.lora_strength=0.8}}");
        }
        if (placeholder.usual().isPresent() && !WITH_USUAL.contains(placeholder.name())) {
            throw new IllegalArgumentException(
                    "has " + placeholder + ", but the job always has that: use {{" + placeholder.name() + "}}");
        }
        if (placeholder.usual().isPresent() && !placeholder.name().equals(Workflow.NEGATIVE)) {
            checkNumber(placeholder);
        }
        return placeholder.usual();
    }

    private static void checkNumber(Placeholder placeholder) {
        boolean steps = placeholder.name().equals(Workflow.STEPS);
        var wanted = steps
                ? new Parameter("steps", "", new Kind.Whole(1, Offer.MOST_STEPS))
                : new Parameter("side", "", new Kind.Whole(Offer.SMALLEST, Offer.LARGEST));
        var problem = wanted.problem(value(placeholder.usual().orElseThrow()).isIntegralNumber()
                ? Long.valueOf(placeholder.usual().orElseThrow())
                : placeholder.usual().orElseThrow());
        if (problem.isPresent()) {
            throw new IllegalArgumentException("has " + placeholder + ", where the value " + problem.get());
        }
    }

    private static void checkTogether(Map<String, Optional<String>> fields) {
        if (!fields.containsKey(Workflow.PROMPT)) {
            throw new IllegalArgumentException("has no {{prompt}}, so what a job asks for would change nothing: put it"
                    + " where the text of a node is");
        }
        if (fields.containsKey(Workflow.WIDTH) != fields.containsKey(Workflow.HEIGHT)) {
            throw new IllegalArgumentException("has one of {{width}} and {{height}}: it needs both or none");
        }
        if (fields.containsKey(Workflow.STRENGTH) && !fields.containsKey(Workflow.IMAGE)) {
            throw new IllegalArgumentException("has {{strength}}, which means nothing without {{image}}");
        }
    }

    private static WorkflowParameter parameter(String workflow, String name, Placeholder placeholder) {
        if (!name.matches("[a-z][a-z0-9_]{0,63}")) {
            throw new IllegalArgumentException("has " + placeholder + ": a parameter's name is of small letters, digits"
                    + " and underscores, and begins with a letter");
        }
        if (name.equals(StandardParameters.CHECKPOINT)) {
            throw new IllegalArgumentException("has " + placeholder + ": use {{model}}");
        }
        var text = placeholder.usual().filter(usual -> !usual.isEmpty())
                .orElseThrow(() -> new IllegalArgumentException("has " + placeholder
                        + " without what is taken where a job does not set it: write {{params." + name + "=VALUE}}"));
        var usual = value(text);
        var parameter = StandardParameters.of(Listed.NOTHING).stream().filter(known -> known.name().equals(name))
                .findFirst().orElseGet(() -> new Parameter(name, "Of the workflow " + workflow + ".", kind(usual)));
        parameter.problem(plain(usual)).ifPresent(problem -> {
            throw new IllegalArgumentException("has " + placeholder + ", where the value " + problem);
        });
        return new WorkflowParameter(parameter, usual);
    }

    /** What a text says: a number, true or false, or just this text. */
    private static JsonNode value(String text) {
        var json = JsonNodeFactory.instance;
        if (text.matches("-?\\d{1,15}")) {
            return json.numberNode(Long.parseLong(text));
        }
        if (text.matches("-?\\d{1,15}\\.\\d{1,15}")) {
            return json.numberNode(Double.parseDouble(text));
        }
        return text.matches("true|false") ? json.booleanNode(text.equals("true")) : json.textNode(text);
    }

    private static Object plain(JsonNode value) {
        return value.isNumber()
                ? value.numberValue()
                : value.isBoolean() ? (Object) value.booleanValue() : value.asText();
    }

    private static Kind kind(JsonNode usual) {
        if (usual.isIntegralNumber()) {
            return new Kind.Whole(-LARGEST_WHOLE, LARGEST_WHOLE);
        }
        if (usual.isNumber()) {
            return new Kind.Decimal(-LARGEST_DECIMAL, LARGEST_DECIMAL);
        }
        return usual.isBoolean() ? new Kind.Flag() : new Kind.Text(LONGEST_TEXT);
    }
}
