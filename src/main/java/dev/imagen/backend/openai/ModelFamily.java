package dev.imagen.backend.openai;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Sizes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Models with the same rules. What is not OpenAI's own is taken as it is: its server knows what it can do. */
enum ModelFamily {
    /** Of three sizes. */
    GPT_IMAGE("gpt-image-", 32_000, Sizes.of("1024x1024", "1536x1024", "1024x1536"),
            List.of("auto", "low", "medium", "high"),
            List.of("quality", "background", "moderation", "output_format", "output_compression")),
    /** The same of nearly any size. */
    GPT_IMAGE_2("gpt-image-2", 32_000, new Sizes.Ranged(16, 3840, 3840L * 2160, 16, 3), GPT_IMAGE.qualities,
            GPT_IMAGE.parameters),
    /** The first of all. */
    DALL_E_2("dall-e-2", 1000, Sizes.of("256x256", "512x512", "1024x1024"), List.of("standard"), List.of("quality")),
    /** The one with styles. */
    DALL_E_3("dall-e-3", 4000, Sizes.of("1024x1024", "1792x1024", "1024x1792"), List.of("standard", "hd"),
            List.of("quality", "style")),
    /** Anybody else's. */
    OTHER("", 32_000, null, List.of(), List.of());

    /** OpenAI's own, the default first. */
    static final List<String> MODELS = List.of("gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2",
            "dall-e-3", "dall-e-2");

    private final String prefix;
    private final int longestPrompt;
    private final Sizes sizes;
    private final List<String> qualities;
    private final List<String> parameters;

    ModelFamily(String prefix, int longestPrompt, Sizes sizes, List<String> qualities, List<String> parameters) {
        this.prefix = prefix;
        this.longestPrompt = longestPrompt;
        this.sizes = sizes;
        this.qualities = qualities;
        this.parameters = parameters;
    }

    /** Gateways name the vendor before the model: {@code openai/gpt-image-1}. */
    static ModelFamily of(String model) {
        var name = model.substring(model.lastIndexOf('/') + 1);
        return Arrays.stream(values()).filter(family -> name.startsWith(family.prefix))
                .max((a, b) -> a.prefix.length() - b.prefix.length()).orElse(OTHER);
    }

    /** Empty: any, as far as anybody here knows. */
    Optional<Sizes> sizes() {
        return Optional.ofNullable(sizes);
    }

    /** Whether it gives URLs unless it is told otherwise, and may be told so: the newer models refuse to be. */
    boolean takesResponseFormat() {
        return this == DALL_E_2 || this == DALL_E_3;
    }

    /** What the model does not take although others of the backend do. */
    Optional<Refusal> refusal(ImageRequest request) {
        int length = request.prompt().codePointCount(0, request.prompt().length());
        if (length > longestPrompt) {
            return Optional.of(new Refusal("prompt", "has " + length + " characters with the words of its style, model "
                    + request.model() + " takes at most " + longestPrompt));
        }
        return this == OTHER ? Optional.empty() : parameterRefusal(request.model(), request.params());
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
