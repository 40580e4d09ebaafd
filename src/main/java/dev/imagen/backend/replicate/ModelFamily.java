package dev.imagen.backend.replicate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.BackendInfo.Abilities;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.backend.remote.InputPictures;
import dev.imagen.backend.remote.JobInput;
import dev.imagen.backend.remote.NamedSizes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Models with the same inputs. Of any other one nobody here knows the inputs, and Replicate takes those that a model
 * does not have without a word: such a model is given the prompt, and what the job itself names as {@code input}.
 */
enum ModelFamily {
    /** Few steps. */
    FLUX_SCHNELL(List.of("black-forest-labs/flux-schnell"), Tables.FLUX.sizes(), Tables.FLUX::put,
            new Abilities(Set.of(Feature.SEED, Feature.STEPS), 4, 4),
            List.of("output_format", "output_quality", "go_fast")),
    /** Many, and a picture to begin with. */
    FLUX_DEV(List.of("black-forest-labs/flux-dev"), Tables.FLUX.sizes(), Tables.FLUX::put,
            new Abilities(Set.of(Feature.SEED, Feature.STEPS, Feature.INPUT_IMAGE, Feature.STRENGTH), 28, 50),
            List.of("output_format", "output_quality", "go_fast", "guidance")),
    /** Of nearly any size. */
    FLUX_PRO(List.of("black-forest-labs/flux-1.1-pro"), new Sizes.Ranged(256, 1440, 1440L * 1440, 32, 5),
            ModelFamily::custom, new Abilities(Set.of(Feature.SEED), 0, 0), List.of("output_format", "output_quality")),
    /** The same, larger. */
    FLUX_2(List.of("black-forest-labs/flux-2-pro", "black-forest-labs/flux-2-flex"),
            new Sizes.Ranged(256, 2048, 2048L * 2048, 32, 8), ModelFamily::custom,
            new Abilities(Set.of(Feature.SEED), 0, 0), List.of("output_format", "output_quality")),
    /** The one with negative words. */
    SDXL(List.of("stability-ai/sdxl"), new Sizes.Ranged(256, 2048, 2048L * 2048, 8, 8), ModelFamily::pixels,
            new Abilities(
                    Set.of(Feature.NEGATIVE_PROMPT, Feature.SEED, Feature.STEPS, Feature.INPUT_IMAGE, Feature.STRENGTH),
                    50, 500),
            List.of("guidance_scale")),
    /** Of five sizes, and nothing else to set. */
    IMAGEN_4(List.of("google/imagen-4", "google/imagen-4-fast", "google/imagen-4-ultra"), Tables.IMAGEN_4.sizes(),
            Tables.IMAGEN_4::put, new Abilities(Set.of(), 0, 0), List.of("output_format")),
    /** Anybody else's. */
    OTHER(List.of(), new Sizes.Own(), (_, _) -> {}, new Abilities(Set.of(), 0, 0), List.of());

    /** Those that run without a version, the default first. */
    static final List<String> MODELS = List.of("black-forest-labs/flux-schnell", "black-forest-labs/flux-dev",
            "black-forest-labs/flux-1.1-pro", "black-forest-labs/flux-2-pro", "google/imagen-4", "google/imagen-4-fast",
            "google/imagen-4-ultra");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Sizes by aspect ratio. */
    private static final class Tables {
        static final NamedSizes FLUX = new NamedSizes("""
                size      aspect_ratio megapixels
                1024x1024 1:1          1
                1344x768  16:9         1
                1536x640  21:9         1
                1216x832  3:2          1
                832x1216  2:3          1
                896x1088  4:5          1
                1088x896  5:4          1
                896x1152  3:4          1
                1152x896  4:3          1
                768x1344  9:16         1
                640x1536  9:21         1
                512x512   1:1          0.25
                672x384   16:9         0.25
                768x320   21:9         0.25
                608x416   3:2          0.25
                416x608   2:3          0.25
                448x544   4:5          0.25
                544x448   5:4          0.25
                448x576   3:4          0.25
                576x448   4:3          0.25
                384x672   9:16         0.25
                320x768   9:21         0.25
                """);
        static final NamedSizes IMAGEN_4 = new NamedSizes("""
                size      aspect_ratio
                1024x1024 1:1
                1408x768  16:9
                768x1408  9:16
                1280x896  4:3
                896x1280  3:4
                """);
    }

    private final List<String> models;
    private final Sizes sizes;
    private final BiConsumer<ObjectNode, Size> size;
    private final Abilities abilities;
    private final List<String> parameters;

    ModelFamily(List<String> models, Sizes sizes, BiConsumer<ObjectNode, Size> size, Abilities abilities,
            List<String> parameters) {
        this.models = models;
        this.sizes = sizes;
        this.size = size;
        this.abilities = abilities;
        this.parameters = parameters;
    }

    /** @param model with or without its version */
    static ModelFamily of(String model) {
        var name = model.replaceFirst(":.*", "");
        return Arrays.stream(values()).filter(family -> family.models.contains(name)).findFirst().orElse(OTHER);
    }

    Sizes sizes() {
        return sizes;
    }

    Abilities abilities() {
        return abilities;
    }

    /** What the model does not take although others of the backend do. */
    Optional<Refusal> refusal(ImageRequest request) {
        if (this == IMAGEN_4 && "webp".equals(request.params().get("output_format"))) {
            return Optional.of(new Refusal("params.output_format", "must be jpg or png for model " + request.model()));
        }
        return JobInput.refusal(request, parameters, known(request));
    }

    /** The model's inputs. */
    ObjectNode input(ImageRequest request) {
        return JobInput.add(known(request), request);
    }

    private ObjectNode known(ImageRequest request) {
        var input = JSON.createObjectNode().put("prompt", request.prompt());
        size.accept(input, request.size());
        if (abilities.can(Feature.SEED)) {
            input.put("seed", request.seed());
        }
        if (abilities.can(Feature.STEPS)) {
            // These can make several at once, whose seeds do not follow each other.
            input.put("num_inference_steps", request.steps()).put("num_outputs", 1);
        }
        request.negativePrompt().ifPresent(words -> input.put("negative_prompt", words));
        request.input().ifPresent(picture -> input.put("image", InputPictures.dataUrl(picture)).put("prompt_strength",
                picture.strength()));
        return input;
    }

    private static void custom(ObjectNode input, Size size) {
        pixels(input.put("aspect_ratio", "custom"), size);
    }

    private static void pixels(ObjectNode input, Size size) {
        input.put("width", size.width()).put("height", size.height());
    }
}
