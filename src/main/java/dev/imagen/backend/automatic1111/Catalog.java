package dev.imagen.backend.automatic1111;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.Sizes;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/** What a server has. Until it was asked, that is what the settings name, or any model, and any sampler. */
final class Catalog {

    /** The model where none is set: whichever the server has loaded. */
    static final String LOADED = "loaded";

    /** Goes by another name in the settings that a call overrides. */
    static final String CLIP_SKIP = "clip_skip";

    private static final int SMALLEST = 64;
    private static final int LARGEST = 4096;
    private static final long MOST_PIXELS = (long) LARGEST * LARGEST;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(512, 512, 20);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(SMALLEST, LARGEST, MOST_PIXELS, 150);

    /** Eight pixels are one of the latent picture. */
    private static final Sizes SIZES = new Sizes.Ranged(SMALLEST, LARGEST, MOST_PIXELS, 8, LARGEST / SMALLEST);

    private static final Parameter SAMPLER = new Parameter("sampler_name",
            "As the server lists it, such as Euler a or DPM++ 2M.", new Kind.Text(100));
    private static final Parameter SCHEDULER = new Parameter("scheduler",
            "Of the noise, as the server lists it, such as Karras.", new Kind.Text(100));

    private static final List<Parameter> OTHERS = List.of(
            new Parameter("cfg_scale", "How closely the picture follows the prompt.", new Kind.Decimal(0, 30)),
            new Parameter("distilled_cfg_scale", "The same for Flux, on Forge alone.", new Kind.Decimal(0, 30)),
            new Parameter(CLIP_SKIP, "At which layer of CLIP to stop, from the last.", new Kind.Whole(1, 12)),
            new Parameter("restore_faces", "Whether faces are repaired afterwards.", new Kind.Flag()),
            new Parameter("tiling", "Whether the picture's edges match.", new Kind.Flag()),
            new Parameter("subseed", "Of a variation of the seed's picture.", new Kind.Whole(0, (1L << 53) - 1)),
            new Parameter("subseed_strength", "How much of that variation.", new Kind.Decimal(0, 1)));

    /** Of a list. */
    private static final int MOST_BYTES = 8 * 1024 * 1024;
    private static final int MOST_NAMES = 1000;
    private static final int LONGEST_NAME = 200;

    private final RemoteServer server;
    private final List<String> named;
    private volatile BackendInfo info;

    /**
     * @param server whose calls are short
     * @param named the models of the settings
     */
    Catalog(RemoteServer server, List<String> named) {
        this.server = server;
        this.named = named;
        this.info = info(List.of(), List.of(), List.of(), named.isEmpty());
    }

    BackendInfo info() {
        return info;
    }

    /** @throws JobFailedException where there is no such server; then what was known stays */
    void ask() throws JobFailedException, InterruptedException {
        var models = server.get("/sdapi/v1/sd-models", MOST_BYTES);
        if (!models.ok()) {
            throw Failures.of(server, models);
        }
        // SD.Next lists samplers as schedulers, and has no schedulers: those have no labels.
        info = info(names(models, "model_name"), names(server.get("/sdapi/v1/samplers", MOST_BYTES), "name"),
                names(server.get("/sdapi/v1/schedulers", MOST_BYTES), "label"), false);
    }

    /** None where the server has no such list. */
    private static List<String> names(Answer answer, String field) {
        var names = new LinkedHashSet<String>();
        if (answer.ok()) {
            for (JsonNode entry : answer.json()) {
                names.add(entry.path(field).asText(""));
            }
        }
        return names.stream().filter(name -> !name.isBlank() && name.length() <= LONGEST_NAME).limit(MOST_NAMES)
                .toList();
    }

    /** @param unlisted while nobody knows which models there are */
    private BackendInfo info(List<String> listed, List<String> samplers, List<String> schedulers, boolean unlisted) {
        var models = new LinkedHashSet<String>(named);
        if (named.isEmpty()) {
            models.add(LOADED);
            models.addAll(listed);
        }
        var parameters = new ArrayList<Parameter>();
        parameters.add(oneOf(SAMPLER, samplers));
        parameters.add(oneOf(SCHEDULER, schedulers));
        parameters.addAll(OTHERS);
        return new BackendInfo(Automatic1111Backend.NAME, List.copyOf(models), DEFAULTS, LIMITS,
                List.copyOf(parameters), EnumSet.allOf(Feature.class),
                models.stream().collect(toMap(model -> model, _ -> SIZES)), Map.of(), unlisted);
    }

    private static Parameter oneOf(Parameter parameter, List<String> values) {
        return values.isEmpty()
                ? parameter
                : new Parameter(parameter.name(), parameter.description(), new Kind.Choice(values));
    }
}
