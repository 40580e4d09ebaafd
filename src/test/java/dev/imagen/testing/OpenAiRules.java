package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What OpenAI's Images API takes, and how it refuses the rest. */
final class OpenAiRules {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What it takes of a model, by the beginning of its name; the longest that fits is meant. */
    private record Rules(int longestPrompt, Set<String> sizes, Set<String> qualities, Set<String> fields) {}

    private static final Set<String> COMMON = Set.of("model", "prompt", "n", "size", "quality", "user");
    private static final Set<String> THREE = Set.of("auto", "1024x1024", "1536x1024", "1024x1536");
    private static final Set<String> GPT = Set.of("background", "moderation", "output_format", "output_compression",
            "stream", "partial_images", "safety_identifier");
    private static final Set<String> GPT_2_5 = Set.of("background", "moderation", "output_format", "output_compression",
            "stream", "partial_images", "safety_identifier", "complexity");
    private static final Set<String> THREE_QUALITIES = Set.of("auto", "low", "medium", "high");
    private static final Set<String> FIVE_QUALITIES = Set.of("auto", "low", "medium", "high", "xhigh", "max");

    private static final Map<String, Rules> MODELS = Map.of("gpt-image-1",
            new Rules(32_000, THREE, THREE_QUALITIES, GPT), "chatgpt-image-latest",
            new Rules(32_000, THREE, THREE_QUALITIES, GPT), "gpt-image-2",
            new Rules(32_000, Set.of(), THREE_QUALITIES, GPT), "gpt-image-2.5-",
            new Rules(32_000, Set.of(), FIVE_QUALITIES, GPT_2_5), "gpt-image-2.6-",
            new Rules(32_000, Set.of(), FIVE_QUALITIES, GPT_2_5), "dall-e-2",
            new Rules(1000, Set.of("256x256", "512x512", "1024x1024"), Set.of("standard"), Set.of("response_format")),
            "dall-e-3", new Rules(4000, Set.of("1024x1024", "1792x1024", "1024x1792"), Set.of("standard", "hd"),
                    Set.of("response_format", "style")));

    private static final Map<String, Set<String>> CHOICES = Map.of("background",
            Set.of("auto", "transparent", "opaque"), "moderation", Set.of("auto", "low"), "output_format",
            Set.of("png", "jpeg", "webp", "gif", "svg"), "style", Set.of("vivid", "natural"), "response_format",
            Set.of("url", "b64_json"), "complexity", Set.of("low", "medium", "high"));

    /** As it renders an error. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        final int status;
        final String param;
        final String code;

        Refused(int status, String message, String param, String code) {
            super(message);
            this.status = status;
            this.param = param;
            this.code = code;
        }
    }

    private OpenAiRules() {}

    /** The fields of a form as JSON would have them. */
    static ObjectNode fields(MultipartForm form) throws Refused {
        var fields = JSON.createObjectNode();
        for (MultipartForm.Part part : form.parts()) {
            if (!part.name().startsWith("image")) {
                if (fields.has(part.name())) {
                    throw new Refused(400, "Duplicate parameter: '" + part.name() + "'.", part.name(), "invalid_value");
                }
                switch (part.name()) {
                    case "n", "partial_images", "output_compression" ->
                        fields.put(part.name(), Integer.parseInt(part.text()));
                    case "stream" -> fields.put(part.name(), part.text().equals("true"));
                    default -> fields.put(part.name(), part.text());
                }
            }
        }
        return fields;
    }

    /** The picture to begin with. */
    static void checkImages(MultipartForm form, String model) throws Refused {
        if (model.startsWith("dall-e-3")) {
            throw new Refused(400, "Invalid value: 'dall-e-3'. Value must be 'dall-e-2'.", "model", "invalid_value");
        }
        var images = form.parts().stream().filter(part -> Set.of("image", "image[]").contains(part.name())).toList();
        if (images.isEmpty() || images.size() > (model.startsWith("dall-e") ? 1 : 16)) {
            throw new Refused(400, "Missing required parameter: 'image'.", "image", "missing_required_parameter");
        }
        for (MultipartForm.Part image : images) {
            checkImage(image, model.startsWith("dall-e"));
        }
    }

    private static void checkImage(MultipartForm.Part image, boolean dallE) throws Refused {
        if (image.fileName().isEmpty() || !Set.of("image/png", "image/jpeg", "image/webp").contains(image.type())) {
            throw new Refused(400,
                    "Invalid file 'image': unsupported mimetype ('" + image.type()
                            + "'). Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.",
                    "image", "unsupported_file_mimetype");
        }
        try {
            var file = ImageFile.read(image.bytes());
            boolean right = dallE
                    ? file.type() == ImageType.PNG && file.width() == file.height() && image.bytes().length < 4 << 20
                            && Set.of(0, 4, 6).contains((int) image.bytes()[25])
                    : file.type().mimeType().equals(image.type()) && image.bytes().length < 50 << 20;
            if (right) {
                return;
            }
        } catch (InvalidImageException e) {
            // Refused below.
        }
        throw new Refused(400, "Invalid image file or mode for image 1, please check your image file.", "image",
                "invalid_image_file");
    }

    /** @param edits whether it begins with a picture */
    static void check(JsonNode asked, boolean edits) throws Refused {
        var model = asked.path("model").asText("dall-e-2");
        var rules = MODELS.keySet().stream().filter(model::startsWith).max(Comparator.comparingInt(String::length))
                .map(MODELS::get).orElseThrow(
                        () -> new Refused(400, "The model '" + model + "' does not exist.", "model", "invalid_value"));
        for (String field : (Iterable<String>) asked::fieldNames) {
            boolean known = COMMON.contains(field) || rules.fields().contains(field)
                    || edits && field.equals("input_fidelity") && model.startsWith("gpt-image-1");
            if (!known) {
                throw new Refused(400, "Unknown parameter: '" + field + "'.", field, "unknown_parameter");
            }
        }
        checkPrompt(asked.path("prompt"), rules.longestPrompt(), model);
        checkSize(asked.path("size").asText("1024x1024"), rules.sizes());
        choice(asked, "quality", rules.qualities());
        choice(asked, "input_fidelity", model.equals("gpt-image-1-mini") ? Set.of("low") : Set.of("low", "high"));
        for (var choice : CHOICES.entrySet()) {
            choice(asked, choice.getKey(), choice.getValue());
        }
        range(asked, "n", 1, model.equals("dall-e-3") ? 1 : 10);
        range(asked, "partial_images", 0, 3);
        range(asked, "output_compression", 0, 100);
        if (asked.path("partial_images").asInt() > 0 && !asked.path("stream").asBoolean()) {
            throw new Refused(400, "The 'partial_images' parameter requires 'stream' to be true.", "partial_images",
                    "invalid_value");
        }
        var format = asked.path("output_format").asText("png");
        if (asked.has("output_compression") && format.equals("png")
                && asked.path("output_compression").intValue() < 100) {
            throw new Refused(400, "Compression less than 100 is not supported for PNG output format",
                    "output_compression", "invalid_png_output_compression");
        }
        if (asked.path("background").asText().equals("transparent") && format.equals("jpeg")) {
            throw new Refused(400, "Transparent background is not supported for JPEG output format", "background",
                    "invalid_value");
        }
    }

    private static void checkPrompt(JsonNode prompt, int longest, String model) throws Refused {
        if (!prompt.isTextual() || prompt.textValue().isEmpty()) {
            throw new Refused(400, "Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter");
        }
        if (prompt.textValue().codePointCount(0, prompt.textValue().length()) > longest) {
            throw new Refused(400,
                    "Invalid 'prompt': string too long. Expected a string with maximum length " + longest + ".",
                    "prompt", "string_above_max_length");
        }
        if (prompt.textValue().contains("something forbidden")) {
            throw new Refused(400, "Your request was rejected by the safety system.", null,
                    model.startsWith("dall-e") ? "content_policy_violation" : "moderation_blocked");
        }
    }

    /** @param sizes none: any that is free */
    private static void checkSize(String size, Set<String> sizes) throws Refused {
        if (sizes.isEmpty() ? !free(size) : !sizes.contains(size)) {
            throw new Refused(400,
                    "Invalid value: '" + size + "'. Supported values are: " + String.join(", ", sizes) + ".", "size",
                    "invalid_value");
        }
    }

    private static boolean free(String size) {
        if (!size.matches("[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")) {
            return false;
        }
        var sides = List.of(size.split("x")).stream().map(Integer::valueOf).sorted().toList();
        int shorter = sides.getFirst();
        int longer = sides.getLast();
        return shorter % 16 == 0 && longer % 16 == 0 && longer <= 3 * shorter && longer <= 3840
                && (long) shorter * longer <= 3840L * 2160;
    }

    private static void choice(JsonNode asked, String field, Set<String> values) throws Refused {
        if (asked.has(field) && !values.contains(asked.path(field).asText())) {
            throw new Refused(400, "Invalid value: '" + asked.path(field).asText() + "'.", field, "invalid_value");
        }
    }

    private static void range(JsonNode asked, String field, int min, int max) throws Refused {
        var value = asked.path(field);
        if (asked.has(field) && (!value.isIntegralNumber() || value.intValue() < min || value.intValue() > max)) {
            throw new Refused(400, "Invalid '" + field + "'.", field, "invalid_value");
        }
    }
}
