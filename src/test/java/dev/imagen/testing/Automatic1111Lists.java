package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.imagen.testing.Automatic1111Server.Kind;
import java.util.List;
import java.util.Optional;

/** What the servers of this API say that they have, each in its own way. */
final class Automatic1111Lists {

    private static final String HASH = "31e35c80fc";

    private Automatic1111Lists() {}

    /** Empty for another call, or where the server has no such list. */
    static Optional<JsonNode> of(Kind kind, String call) {
        return switch (call) {
            case "GET /sdapi/v1/sd-models" -> Optional.of(models(kind));
            case "GET /sdapi/v1/samplers" -> Optional.of(samplers(kind));
            case "GET /sdapi/v1/schedulers" -> Optional.of(schedulers(kind));
            default -> Optional.empty();
        };
    }

    private static ArrayNode models(Kind kind) {
        var models = JsonNodeFactory.instance.arrayNode();
        var names = kind == Kind.SD_SERVER
                ? List.of(Automatic1111Server.LOADED)
                : List.of(Automatic1111Server.LOADED, Automatic1111Server.OTHER);
        names.forEach(
                name -> models.addObject().put("title", name + ".safetensors [" + HASH + "]").put("model_name", name)
                        .put("hash", HASH).putNull("sha256").put("filename", "/models/" + name).putNull("config"));
        return models;
    }

    private static ArrayNode samplers(Kind kind) {
        var samplers = JsonNodeFactory.instance.arrayNode();
        var names = kind == Kind.SD_SERVER
                ? List.of("default", "euler", "euler_a")
                : List.of("Euler", "Euler a", "DPM++ 2M");
        names.forEach(name -> {
            var sampler = samplers.addObject().put("name", name);
            sampler.putObject("options");
            if (kind != Kind.SDNEXT) {
                sampler.putArray("aliases").add("k_" + name);
            }
        });
        return samplers;
    }

    /** SD.Next's are its samplers. */
    private static ArrayNode schedulers(Kind kind) {
        if (kind == Kind.SDNEXT) {
            return samplers(kind);
        }
        var schedulers = JsonNodeFactory.instance.arrayNode();
        var labels = kind == Kind.SD_SERVER
                ? List.of("default", "karras")
                : List.of("Automatic", "Karras", "SGM Uniform");
        labels.forEach(
                label -> schedulers.addObject().put("name", label.toLowerCase().replace(' ', '_')).put("label", label));
        return schedulers;
    }
}
