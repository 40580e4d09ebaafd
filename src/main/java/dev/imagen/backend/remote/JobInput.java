package dev.imagen.backend.remote;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Refusal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a job itself names of a model's inputs: params that go along as they are, and an object of any others, since
 * providers have more models than anybody here can list.
 */
public final class JobInput {

    private static final String INPUT = "input";

    /** The object. */
    public static final Parameter PARAMETER = new Parameter(INPUT,
            "Any other inputs of the model, as its page lists them.", new Parameter.Kind.Fields());

    private static final ObjectMapper JSON = new ObjectMapper();

    private JobInput() {}

    /**
     * What of it the model cannot be given.
     *
     * @param known params that the model takes, besides {@link #PARAMETER}
     * @param input without it, which it may not change
     */
    public static Optional<Refusal> refusal(ImageRequest request, List<String> known, ObjectNode input) {
        var foreign = request.params().keySet().stream().filter(name -> !name.equals(INPUT) && !known.contains(name))
                .findFirst();
        if (foreign.isPresent()) {
            return Optional.of(new Refusal("params." + foreign.get(), "is no parameter that ImaGen knows of model "
                    + request.model() + ": set it within params." + INPUT + " if the model has it"));
        }
        var own = input.deepCopy();
        own.setAll(named(request));
        return others(request).properties().stream().map(Map.Entry::getKey).filter(own::has).findFirst().map(
                name -> new Refusal("params." + INPUT + "." + name, "is set by the job's own fields: leave it out"));
    }

    /** Adds it. @return the same */
    public static ObjectNode add(ObjectNode input, ImageRequest request) {
        input.setAll(named(request));
        input.setAll(others(request));
        return input;
    }

    private static ObjectNode named(ImageRequest request) {
        var named = JSON.createObjectNode();
        request.params().entrySet().stream().filter(param -> !param.getKey().equals(INPUT))
                .forEach(param -> named.set(param.getKey(), JSON.valueToTree(param.getValue())));
        return named;
    }

    private static ObjectNode others(ImageRequest request) {
        return JSON.valueToTree(request.params().getOrDefault(INPUT, Map.of()));
    }
}
