package dev.imagen.backend.openai;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Sizes;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Models with the same rules. A model of none of them is taken as it is, a later one of OpenAI's as well: its server
 * knows what it can do.
 */
enum ModelFamily {
    /** Of three sizes. */
    GPT_IMAGE_1(List.of("gpt-image-1", "chatgpt-image-"), 32_000, Sizes.of("1024x1024", "1536x1024", "1024x1536"),
            List.of("auto", "low", "medium", "high"), List.of("quality", "background", "moderation", "output_format",
                    "output_compression", "partial_images", "input_fidelity")),
    /** The same of nearly any size. */
    GPT_IMAGE_2(List.of("gpt-image-2"), 32_000, new Sizes.Ranged(16, 3840, 3840L * 2160, 16, 3), GPT_IMAGE_1.qualities,
            List.of("quality", "background", "moderation", "output_format", "output_compression", "partial_images")),
    /** The same with more to set. */
    GPT_IMAGE_2_5(List.of("gpt-image-2.5", "gpt-image-2.6"), 32_000, GPT_IMAGE_2.sizes,
            List.of("auto", "low", "medium", "high", "xhigh", "max"), List.of("quality", "complexity", "background",
                    "moderation", "output_format", "output_compression", "partial_images")),
    /** OpenAI itself has retired this one and the next. */
    DALL_E_2(List.of("dall-e-2"), 1000, Sizes.of("256x256", "512x512", "1024x1024"), List.of("standard"),
            List.of("quality")),
    /** The one with styles. */
    DALL_E_3(List.of("dall-e-3"), 4000, Sizes.of("1024x1024", "1792x1024", "1024x1792"), List.of("standard", "hd"),
            List.of("quality", "style")),
    /** Anybody else's. */
    OTHER(List.of(""), 32_000, null, List.of(), List.of());

    /** Those that OpenAI offers, the default first. */
    static final List<String> MODELS = List.of("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst",
            "gpt-image-2.6-flare", "gpt-image-2.6-sunburst", "gpt-image-1.5", "gpt-image-1-mini",
            "chatgpt-image-latest");

    private static final int MOST_PICTURES = 10;

    private final List<String> prefixes;
    private final int longestPrompt;
    private final Sizes sizes;
    private final List<String> qualities;
    private final List<String> parameters;

    ModelFamily(List<String> prefixes, int longestPrompt, Sizes sizes, List<String> qualities,
            List<String> parameters) {
        this.prefixes = prefixes;
        this.longestPrompt = longestPrompt;
        this.sizes = sizes;
        this.qualities = qualities;
        this.parameters = parameters;
    }

    /** Gateways name the vendor before the model: {@code openai/gpt-image-1}. */
    static ModelFamily of(String model) {
        var name = model.substring(model.lastIndexOf('/') + 1);
        return Arrays.stream(values()).max(Comparator.comparingInt(family -> family.matched(name))).orElse(OTHER);
    }

    /** How much of a name tells that the model belongs here; below zero: it does not. */
    private int matched(String name) {
        return prefixes.stream().filter(name::startsWith).mapToInt(String::length).max().orElse(-1);
    }

    /** Empty: any, as far as anybody here knows. */
    Optional<Sizes> sizes() {
        return Optional.ofNullable(sizes);
    }

    /** Whether it gives URLs unless it is told otherwise, and may be told so: the newer models refuse to be. */
    boolean takesResponseFormat() {
        return this == DALL_E_2 || this == DALL_E_3;
    }

    /** What others' servers make of {@code n}, nobody here knows: many ignore it. */
    int picturesPerCall() {
        return this == DALL_E_3 || this == OTHER ? 1 : MOST_PICTURES;
    }

    /** What the model does not take although others of the backend do. */
    Optional<Refusal> refusal(ImageRequest request) {
        int length = request.prompt().codePointCount(0, request.prompt().length());
        if (length > longestPrompt) {
            return Optional.of(new Refusal("prompt", "has " + length + " characters with the words of its style, model "
                    + request.model() + " takes at most " + longestPrompt));
        }
        return this == OTHER
                ? Optional.empty()
                : parameterRefusal(request.model(), request.params()).or(() -> InputRules.refusal(this, request));
    }

    private Optional<Refusal> parameterRefusal(String model, Map<String, Object> params) {
        var foreign = params.keySet().stream().filter(name -> !parameters.contains(name)).findFirst();
        if (foreign.isPresent()) {
            return refusal(foreign.get(),
                    "is no parameter of model " + model + ": use one of " + String.join(", ", parameters));
        }
        if (params.containsKey("quality") && !qualities.contains(params.get("quality"))) {
            return refusal("quality", "must be one of " + String.join(", ", qualities) + " for model " + model);
        }
        var format = Objects.requireNonNullElse(params.get("output_format"), "png");
        if (params.containsKey("output_compression") && format.equals("png")) {
            return refusal("output_compression", "needs params.output_format to be jpeg or webp");
        }
        if ("transparent".equals(params.get("background")) && format.equals("jpeg")) {
            return refusal("background", "cannot be transparent where params.output_format is jpeg");
        }
        return Optional.empty();
    }

    private static Optional<Refusal> refusal(String parameter, String detail) {
        return Optional.of(new Refusal("params." + parameter, detail));
    }
}
