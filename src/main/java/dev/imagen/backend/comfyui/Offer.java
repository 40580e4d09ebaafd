package dev.imagen.backend.comfyui;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.BackendInfo.Abilities;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What jobs may ask for: every workflow, and the checkpoints that the settings name; where they name no model at all,
 * those that the server lists.
 */
final class Offer {

    /** The model that is always there where the settings name none: the first checkpoint that the server lists. */
    static final String FIRST_LISTED = "default";

    static final int SMALLEST = 16;
    static final int LARGEST = 8192;
    static final int MOST_STEPS = 10_000;

    private static final long MOST_PIXELS = (long) LARGEST * LARGEST;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(512, 512, 20);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(SMALLEST, LARGEST, MOST_PIXELS, MOST_STEPS);

    /** Eight pixels are one of the latent picture. */
    private static final Sizes SIZES = new Sizes.Ranged(SMALLEST, LARGEST, MOST_PIXELS, 8, LARGEST / SMALLEST);

    private final List<String> named;
    private final Workflows workflows;

    /** @param named by the settings: checkpoints and workflows, the default first */
    Offer(List<String> named, Workflows workflows) {
        this.named = named;
        this.workflows = workflows;
    }

    /** The checkpoints that jobs may name; none: nobody knows any. */
    List<String> checkpoints(Listed listed) {
        var ofSettings = named.stream().filter(model -> workflows.find(model).isEmpty()).toList();
        return ofSettings.isEmpty() ? listed.checkpoints() : ofSettings;
    }

    /** @param listed what the server has; empty: it was not asked yet */
    BackendInfo info(Optional<Listed> listed) {
        var models = new LinkedHashSet<String>(named);
        workflows.all().forEach(workflow -> models.add(workflow.name()));
        if (named.isEmpty()) {
            models.addAll(listed.orElse(Listed.NOTHING).checkpoints());
        }
        if (named.isEmpty() && workflows.all().isEmpty()) {
            models.add(FIRST_LISTED);
        }
        var sizes = new HashMap<String, Sizes>();
        models.forEach(model -> sizes.put(model, sizesOf(model)));
        var abilities = new HashMap<String, Abilities>();
        workflows.all().forEach(workflow -> abilities.put(workflow.name(), abilities(workflow)));
        return new BackendInfo(ComfyUiBackend.NAME, List.copyOf(models), DEFAULTS, LIMITS,
                parameters(listed.orElse(Listed.NOTHING)), EnumSet.allOf(Feature.class), Map.copyOf(sizes),
                Map.copyOf(abilities), named.isEmpty() && listed.isEmpty());
    }

    private Sizes sizesOf(String model) {
        return workflows.find(model).filter(workflow -> !workflow.takes(Workflow.WIDTH)).isPresent()
                ? new Sizes.Own()
                : SIZES;
    }

    private static Abilities abilities(Workflow workflow) {
        boolean steps = workflow.takes(Workflow.STEPS);
        var size = workflow.takes(Workflow.WIDTH)
                ? Optional.of(new Size(workflow.usual(Workflow.WIDTH).orElse(DEFAULTS.width()),
                        workflow.usual(Workflow.HEIGHT).orElse(DEFAULTS.height())))
                : Optional.<Size>empty();
        return new Abilities(workflow.features(), steps ? workflow.usual(Workflow.STEPS).orElse(DEFAULTS.steps()) : 0,
                steps ? MOST_STEPS : 0, size);
    }

    private List<Parameter> parameters(Listed listed) {
        var parameters = new ArrayList<>(StandardParameters.of(listed));
        if (workflows.all().stream().anyMatch(workflow -> workflow.takes(Workflow.MODEL))) {
            parameters.add(StandardParameters.checkpoint(checkpoints(listed)));
        }
        workflows.parameters().stream().filter(
                parameter -> parameters.stream().noneMatch(standard -> standard.name().equals(parameter.name())))
                .forEach(parameters::add);
        return List.copyOf(parameters);
    }

    /** What the model of a request does not take although others do. */
    Optional<Refusal> refusal(ImageRequest request) {
        var workflow = workflows.find(request.model());
        if (workflow.isPresent()) {
            return foreign(request, parametersOf(workflow.get())).or(() -> noPicture(request, workflow.get()));
        }
        return foreign(request, StandardParameters.of(Listed.NOTHING).stream().map(Parameter::name).toList())
                .or(() -> SIZES.refusals(request.size(), "backend " + ComfyUiBackend.NAME).stream().findFirst());
    }

    private static List<String> parametersOf(Workflow workflow) {
        return Stream.concat(workflow.takes(Workflow.MODEL) ? Stream.of(StandardParameters.CHECKPOINT) : Stream.empty(),
                workflow.parameters().stream().map(known -> known.parameter().name())).toList();
    }

    private static Optional<Refusal> foreign(ImageRequest request, List<String> own) {
        return request.params().keySet().stream().filter(name -> !own.contains(name)).findFirst()
                .map(name -> new Refusal("params." + name, "is no parameter of model " + request.model()
                        + (own.isEmpty() ? ", which has none" : ": use one of " + String.join(", ", own))));
    }

    private static Optional<Refusal> noPicture(ImageRequest request, Workflow workflow) {
        return workflow.takes(Workflow.IMAGE) && request.input().isEmpty()
                ? Optional.of(new Refusal(Feature.INPUT_IMAGE.field(),
                        "must be set for model " + request.model() + ", which begins with a picture"))
                : Optional.empty();
    }
}
