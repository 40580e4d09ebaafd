package dev.imagen.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.Yaml;

/** Types of the API that no library here has, as {@code custom-types.yaml} tells them. */
final class CustomTypes {

    private static final Path FIELDS = Path.of("src/test/resources/k8s/custom-types.yaml");
    /** Of every object. */
    private static final Set<String> COMMON = Set.of("apiVersion", "kind", "metadata");

    private final Map<String, Map<String, Object>> types;
    private final List<String> errors = new ArrayList<>();

    private CustomTypes(Map<String, Map<String, Object>> types) {
        this.types = types;
    }

    /** What is wrong with an object of one of these types. */
    static List<String> errors(JsonNode object) {
        var kind = object.path("apiVersion").asText() + " " + object.path("kind").asText();
        return errors(kind, object);
    }

    /** What is wrong with a value of the type of this name. */
    static List<String> errors(String type, JsonNode value) {
        try (var reader = Files.newBufferedReader(FIELDS)) {
            var known = new CustomTypes(new Yaml().load(reader));
            known.fields(type, value, known.types.getOrDefault(type, Map.of()));
            return known.errors;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fields(String path, JsonNode value, Map<?, ?> fields) {
        if (!value.isObject()) {
            errors.add(path + " is no object");
            return;
        }
        var present = new ArrayList<String>();
        value.fieldNames().forEachRemaining(present::add);
        present.removeIf(name -> types.containsKey(path) && COMMON.contains(name));
        fields.forEach((key, type) -> {
            var name = key.toString().replaceAll("[!\\[\\]]", "");
            if (present.remove(name)) {
                field(path + "." + name, value.get(name), key.toString().contains("[]"), type);
            } else if (key.toString().endsWith("!")) {
                errors.add(path + "." + name + " is missing");
            }
        });
        present.forEach(name -> errors.add(path + "." + name + " is no field"));
    }

    private void field(String path, JsonNode value, boolean list, Object type) {
        if (list && !value.isArray()) {
            errors.add(path + " is no list");
        } else if (list) {
            value.forEach(element -> field(path, element, false, type));
        } else if (type instanceof Map<?, ?> fields) {
            fields(path, value, fields);
        } else if (!fits(value, type.toString())) {
            errors.add(path + " is of another type than " + type);
        }
    }

    private static boolean fits(JsonNode value, String type) {
        return switch (type) {
            case "string" -> value.isTextual();
            case "integer" -> value.isIntegralNumber();
            case "boolean" -> value.isBoolean();
            case "strings" -> value.isObject() && value.valueStream().allMatch(JsonNode::isTextual);
            case "quantities" ->
                value.isObject() && value.valueStream().allMatch(each -> each.isTextual() || each.isIntegralNumber());
            default -> throw new IllegalArgumentException(type + " in " + FIELDS);
        };
    }
}
