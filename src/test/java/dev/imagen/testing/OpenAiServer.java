package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** OpenAI's {@code /v1/images/generations}, which refuses what the real one refuses. */
public final class OpenAiServer extends ContractServer {

    /** The only key that it takes. */
    public static final String KEY = "sk-proj-key-of-a-test";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "/v1/images/generations";

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
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final String param;
        private final String code;

        Refused(int status, String message, String param, String code) {
            super(message);
            this.status = status;
            this.param = param;
            this.code = code;
        }
    }

    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final AtomicReference<JsonNode> last = new AtomicReference<>();

    /** A server that listens. */
    public static OpenAiServer start() throws IOException {
        var server = new OpenAiServer();
        server.listen();
        return server;
    }

    /** What was asked for last. */
    public JsonNode last() {
        return last.get();
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return exchange.getRequestURI().getPath().equals(PATH);
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("x-request-id", "req_of_a_test");
        var path = exchange.getRequestURI().getPath();
        if (files.containsKey(path)) {
            file(exchange, path);
            return;
        }
        try {
            send(exchange, 200, "application/json", JSON.writeValueAsBytes(generate(exchange)));
        } catch (Refused e) {
            var error = JSON.createObjectNode();
            error.putObject("error").put("message", e.getMessage()).put("type", "invalid_request_error")
                    .put("param", e.param).put("code", e.code);
            send(exchange, e.status, "application/json", JSON.writeValueAsBytes(error));
        }
    }

    /** As the real one's: signed by its URL, and no place for a key. */
    private void file(HttpExchange exchange, String path) throws IOException {
        send(exchange, 200, "image/png", files.get(path));
    }

    private ObjectNode generate(HttpExchange exchange) throws IOException, Refused {
        byte[] body = exchange.getRequestBody().readAllBytes();
        var authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (authorization == null || !authorization.startsWith("Bearer ")) {
            throw new Refused(401, "You didn't provide an API key.", null, null);
        }
        if (!authorization.equals("Bearer " + KEY)) {
            throw new Refused(401, "Incorrect API key provided: " + authorization.substring(7) + ".", null,
                    "invalid_api_key");
        }
        if (!exchange.getRequestURI().getPath().equals(PATH)) {
            throw new Refused(404, "Invalid URL (" + exchange.getRequestMethod() + " " + exchange.getRequestURI() + ")",
                    null, null);
        }
        if (!exchange.getRequestMethod().equals("POST")) {
            throw new Refused(405, "Not allowed to " + exchange.getRequestMethod() + " on " + PATH + ".", null,
                    "method_not_supported");
        }
        if (!"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            throw new Refused(400, "Unsupported content type", null, "unsupported_content_type");
        }
        var asked = JSON.readTree(body);
        last.set(asked);
        check(asked);
        return generated(asked);
    }

    private static void check(JsonNode asked) throws Refused {
        var model = asked.path("model").asText("dall-e-2");
        var rules = MODELS.keySet().stream().filter(model::startsWith).max(Comparator.comparingInt(String::length))
                .map(MODELS::get).orElseThrow(
                        () -> new Refused(400, "The model '" + model + "' does not exist.", "model", "invalid_value"));
        for (String field : (Iterable<String>) asked::fieldNames) {
            if (!COMMON.contains(field) && !rules.fields().contains(field)) {
                throw new Refused(400, "Unknown parameter: '" + field + "'.", field, "unknown_parameter");
            }
        }
        checkPrompt(asked.path("prompt"), rules.longestPrompt(), model);
        checkSize(asked.path("size").asText("1024x1024"), rules.sizes());
        choice(asked, "quality", rules.qualities());
        for (var choice : CHOICES.entrySet()) {
            choice(asked, choice.getKey(), choice.getValue());
        }
        range(asked, "n", 1, model.equals("dall-e-3") ? 1 : 10);
        range(asked, "partial_images", 0, 3);
        range(asked, "output_compression", 0, 100);
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

    private ObjectNode generated(JsonNode asked) {
        var size = asked.path("size").asText("1024x1024").split("x");
        byte[] picture = picture(asked.path("output_format").asText("png"), Integer.parseInt(size[0]),
                Integer.parseInt(size[1]));
        boolean gpt = !asked.path("model").asText("dall-e-2").startsWith("dall-e");
        var answer = JSON.createObjectNode().put("created", 1764284400);
        var data = answer.putArray("data");
        for (int i = 0; i < asked.path("n").asInt(1); i++) {
            if (gpt || asked.path("response_format").asText("url").equals("b64_json")) {
                data.addObject().put("b64_json", Base64.getEncoder().encodeToString(picture));
            } else {
                data.addObject().put("url", url() + keep(picture));
            }
        }
        if (gpt) {
            answer.put("size", asked.path("size").asText()).put("quality", "low")
                    .put("output_format", asked.path("output_format").asText("png")).put("background", "opaque");
            answer.putObject("usage").put("total_tokens", 285).put("input_tokens", 13).put("output_tokens", 272)
                    .putObject("input_tokens_details").put("text_tokens", 13).put("image_tokens", 0);
        }
        return answer;
    }

    /** Keeps a picture to be fetched. @return its path */
    public String keep(byte[] picture) {
        var path = "/files/" + UUID.randomUUID() + ".png";
        files.put(path, picture);
        return path;
    }

    private static byte[] picture(String format, int width, int height) {
        return switch (format) {
            case "jpeg" -> SampleImages.jpeg(width, height);
            case "webp" -> SampleImages.LOSSY_WEBP;
            default -> SampleImages.png(width, height);
        };
    }
}
