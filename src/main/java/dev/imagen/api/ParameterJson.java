package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;

/** A backend's parameter in the words of JSON Schema. */
final class ParameterJson {

    private ParameterJson() {}

    static ObjectNode of(Parameter parameter) {
        var node = Json.object().put("name", parameter.name()).put("description", parameter.description());
        switch (parameter.kind()) {
            case Kind.Choice(var values) -> values.forEach(node.put("type", "string").putArray("enum")::add);
            case Kind.Text(var longest) -> node.put("type", "string").put("maxLength", longest);
            case Kind.Whole(var min, var max) -> node.put("type", "integer").put("minimum", min).put("maximum", max);
            case Kind.Decimal(var min, var max) -> node.put("type", "number").put("minimum", min).put("maximum", max);
            case Kind.Flag() -> node.put("type", "boolean");
            case Kind.Fields() -> node.put("type", "object");
        }
        return node;
    }
}
