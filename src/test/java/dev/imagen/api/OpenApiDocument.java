package dev.imagen.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.helidon.http.Method;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.Yaml;

/** The document that the service serves, to be compared with what the service does. */
final class OpenApiDocument {

    private static final Set<String> METHODS = Arrays.stream(Method.class.getFields())
            .map(field -> field.getName().toLowerCase()).collect(Collectors.toSet());

    private final JsonNode root;

    OpenApiDocument(JsonNode root) {
        this.root = root;
    }

    static OpenApiDocument ofResource() {
        try (var yaml = OpenApiDocument.class.getResourceAsStream("/META-INF/openapi.yaml")) {
            return new OpenApiDocument(new ObjectMapper().valueToTree(new Yaml().load(yaml)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    JsonNode root() {
        return root;
    }

    /** Its operations, as {@code GET /jobs/{id}}. */
    Set<String> operations() {
        var operations = new TreeSet<String>();
        root.path("paths").properties().forEach(path -> path.getValue().fieldNames().forEachRemaining(name -> {
            if (METHODS.contains(name)) {
                operations.add(name.toUpperCase() + " " + path.getKey());
            }
        }));
        return operations;
    }

    JsonNode schema(String name) {
        return resolved(root.path("components").path("schemas").path(name));
    }

    Set<String> properties(String schema) {
        var names = new TreeSet<String>();
        schema(schema).path("properties").fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** The schema of an operation's answer. */
    JsonNode answer(String path, String method, int status) {
        var answer = resolved(
                root.path("paths").path(path).path(method).path("responses").path(String.valueOf(status)));
        return resolved(answer.path("content").elements().next().path("schema"));
    }

    /** The places where a value is not as this schema says: a type, a name too many, a required one that is missing. */
    List<String> differences(JsonNode schema, JsonNode value) {
        var found = new ArrayList<String>();
        compare("", resolved(schema), value, found);
        return found;
    }

    private void compare(String place, JsonNode schema, JsonNode value, List<String> found) {
        if (!typed(schema.path("type"), value)) {
            found.add(place + " is " + value + ", documented as " + schema.path("type"));
        }
        if (value.isObject()) {
            schema.path("required").forEach(name -> {
                if (!value.has(name.textValue())) {
                    found.add(place + "/" + name.textValue() + " is required but missing");
                }
            });
            value.properties().forEach(property -> {
                var inner = schema.path("properties").path(property.getKey());
                if (inner.isMissingNode()) {
                    found.add(place + "/" + property.getKey() + " is not documented");
                } else {
                    compare(place + "/" + property.getKey(), resolved(inner), property.getValue(), found);
                }
            });
        }
        if (value.isArray()) {
            value.forEach(item -> compare(place + "[]", resolved(schema.path("items")), item, found));
        }
        if (schema.has("enum") && !contains(schema.path("enum"), value)) {
            found.add(place + " is " + value + ", documented are " + schema.path("enum"));
        }
    }

    private static boolean typed(JsonNode types, JsonNode value) {
        if (types.isArray()) {
            for (JsonNode type : types) {
                if (typed(type, value)) {
                    return true;
                }
            }
            return false;
        }
        return switch (types.asText()) {
            case "null" -> value.isNull();
            case "string" -> value.isTextual();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            case "array" -> value.isArray();
            case "object" -> value.isObject();
            default -> false;
        };
    }

    private static boolean contains(JsonNode list, JsonNode value) {
        for (JsonNode item : list) {
            if (item.equals(value)) {
                return true;
            }
        }
        return false;
    }

    private JsonNode resolved(JsonNode node) {
        if (!node.has("$ref")) {
            return node;
        }
        var target = root.at(node.path("$ref").textValue().substring(1));
        if (target.isMissingNode()) {
            throw new AssertionError("the document has no " + node.path("$ref"));
        }
        return resolved(target);
    }

    /** Every reference in the document. */
    List<String> references() {
        return root.findValuesAsText("$ref");
    }

    boolean has(String reference) {
        return !root.at(reference.substring(1)).isMissingNode();
    }
}
