package dev.imagen.backend.fal;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.BackendInfo.Abilities;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Sizes;
import dev.imagen.backend.remote.InputPictures;
import dev.imagen.backend.remote.JobInput;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Models with the same inputs. Of any other one nobody here knows the inputs, and fal takes those that a model does not
 * have without a word: such a model is given the prompt, and what the job itself names as {@code input}.
 */
enum ModelFamily {
    /** Few steps. */
    FLUX_SCHNELL(List.of("fal-ai/flux/schnell"), new Sizes.Ranged(256, 2048, 2048L * 2048, 16, 8),
            new Abilities(Set.of(Feature.SEED, Feature.STEPS), 4, 12),
            List.of("output_format", "guidance_scale", "acceleration")),
    /** Many, and a picture to begin with. */
    FLUX_DEV(List.of("fal-ai/flux/dev"), FLUX_SCHNELL.sizes,
            new Abilities(Set.of(Feature.SEED, Feature.STEPS, Feature.INPUT_IMAGE, Feature.STRENGTH), 28, 50),
            FLUX_SCHNELL.parameters),
    /** Neither. */
    FLUX_PRO(List.of("fal-ai/flux-pro/v1.1"), new Sizes.Ranged(256, 1440, 1440L * 1440, 32, 5),
            new Abilities(Set.of(Feature.SEED), 0, 0), List.of("output_format", "safety_tolerance")),
    /** The next generation. */
    FLUX_2(List.of("fal-ai/flux-2"), new Sizes.Ranged(512, 2048, 2048L * 2048, 16, 4),
            new Abilities(Set.of(Feature.SEED, Feature.STEPS), 28, 50), FLUX_SCHNELL.parameters),
    /** Its better one. */
    FLUX_2_PRO(List.of("fal-ai/flux-2-pro"), new Sizes.Ranged(256, 2048, 2048L * 2048, 16, 8),
            new Abilities(Set.of(Feature.SEED), 0, 0), List.of("output_format", "safety_tolerance")),
    /** The one with negative words. */
    SDXL(List.of("fal-ai/fast-sdxl"), new Sizes.Ranged(256, 2048, 2048L * 2048, 8, 8),
            new Abilities(
                    Set.of(Feature.NEGATIVE_PROMPT, Feature.SEED, Feature.STEPS, Feature.INPUT_IMAGE, Feature.STRENGTH),
                    25, 50),
            List.of("guidance_scale")),
    /** Anybody else's. */
    OTHER(List.of(), new Sizes.Own(), new Abilities(Set.of(), 0, 0), List.of());

    /** Of those, the default first. */
    static final List<String> MODELS = Arrays.stream(values()).flatMap(family -> family.models.stream()).toList();

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> models;
    private final Sizes sizes;
    private final Abilities abilities;
    private final List<String> parameters;

    ModelFamily(List<String> models, Sizes sizes, Abilities abilities, List<String> parameters) {
        this.models = models;
        this.sizes = sizes;
        this.abilities = abilities;
        this.parameters = parameters;
    }

    static ModelFamily of(String model) {
        return Arrays.stream(values()).filter(family -> family.models.contains(model)).findFirst().orElse(OTHER);
    }

    Sizes sizes() {
        return sizes;
    }

    Abilities abilities() {
        return abilities;
    }

    /** What the model does not take although others of the backend do. */
    Optional<Refusal> refusal(ImageRequest request) {
        return JobInput.refusal(request, parameters, known(request));
    }

    /** Where the model is: what begins with a picture has a place of its own. */
    static String path(ImageRequest request) {
        return "/" + request.model() + (request.input().isPresent() ? "/image-to-image" : "");
    }

    /** The model's inputs. */
    ObjectNode input(ImageRequest request) {
        return JobInput.add(known(request), request);
    }

    private ObjectNode known(ImageRequest request) {
        var input = JSON.createObjectNode().put("prompt", request.prompt());
        // With a picture to begin with, Flux makes one of that picture's size.
        if (!(sizes instanceof Sizes.Own) && (this == SDXL || request.input().isEmpty())) {
            input.putObject("image_size").put("width", request.width()).put("height", request.height());
        }
        if (abilities.can(Feature.SEED)) {
            input.put("seed", request.seed());
        }
        if (abilities.can(Feature.STEPS)) {
            input.put("num_inference_steps", request.steps());
        }
        if (this != FLUX_2_PRO && this != OTHER) {
            // These can make several at once, whose seeds do not follow each other.
            input.put("num_images", 1);
        }
        request.negativePrompt().ifPresent(words -> input.put("negative_prompt", words));
        request.input().ifPresent(
                picture -> input.put("image_url", InputPictures.dataUrl(picture)).put("strength", picture.strength()));
        return input;
    }
}
