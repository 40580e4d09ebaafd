package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/** {@code generateContent} of the Gemini API, which refuses what the real one refuses. */
public final class GeminiServer extends ContractServer {

    /** The only key that it takes. */
    public static final String KEY = "AIzaSy-key-of-a-test";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MODELS = "/v1beta/models";
    private static final String GENERATE = ":generateContent";

    private static final Set<String> SHAPES = Set.of("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9",
            "21:9");
    private static final Set<String> MORE_SHAPES = Set.of("1:4", "4:1", "1:8", "8:1");

    /** What a model makes, at 1K and half of it. */
    private static final Map<String, int[]> SIZES = new TreeMap<>(Map.of("1:1", new int[]{1024, 1024}, "3:2",
            new int[]{1264, 848}, "16:9", new int[]{1376, 768}, "1:8", new int[]{384, 3072}));

    private static final Map<String, Set<String>> FIELDS = Map.of("",
            Set.of("contents", "generationConfig", "safetySettings", "systemInstruction"), "contents",
            Set.of("role", "parts"), "parts", Set.of("text", "inlineData"), "inlineData", Set.of("mimeType", "data"),
            "generationConfig", Set.of("responseModalities", "imageConfig", "temperature", "topP", "seed"),
            "imageConfig", Set.of("aspectRatio", "imageSize"), "safetySettings", Set.of("category", "threshold"));

    /** As it renders an error. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final int code;
        private final String status;
        private final String reason;

        Refused(int code, String status, String reason, String message) {
            super(message);
            this.code = code;
            this.status = status;
            this.reason = reason;
        }
    }

    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private volatile JsonNode instead;

    /** A server that listens. */
    public static GeminiServer start() throws IOException {
        var server = new GeminiServer();
        server.listen();
        return server;
    }

    /** What was asked for last. */
    public JsonNode last() {
        return last.get();
    }

    /** What the model answers from now on, whatever it is asked. */
    public void answerWith(String json) throws IOException {
        instead = JSON.readTree(json);
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return exchange.getRequestURI().getPath().endsWith(GENERATE);
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        try {
            send(exchange, 200, "application/json; charset=UTF-8", JSON.writeValueAsBytes(answer(exchange, body)));
        } catch (Refused e) {
            var error = JSON.createObjectNode();
            var told = error.putObject("error").put("code", e.code).put("message", e.getMessage()).put("status",
                    e.status);
            if (!e.reason.isEmpty()) {
                told.putArray("details").addObject().put("@type", "type.googleapis.com/google.rpc.ErrorInfo")
                        .put("reason", e.reason).put("domain", "googleapis.com");
            }
            send(exchange, e.code, "application/json; charset=UTF-8", JSON.writeValueAsBytes(error));
        }
    }

    private JsonNode answer(HttpExchange exchange, byte[] body) throws IOException, Refused {
        var key = exchange.getRequestHeaders().getFirst("x-goog-api-key");
        if (key == null) {
            throw new Refused(403, "PERMISSION_DENIED", "", "Method doesn't allow unregistered callers");
        }
        if (!key.equals(KEY)) {
            throw new Refused(400, "INVALID_ARGUMENT", "API_KEY_INVALID",
                    "API key not valid. Please pass a valid API key.");
        }
        var path = exchange.getRequestURI().getPath();
        if (exchange.getRequestMethod().equals("GET") && path.equals(MODELS)) {
            var models = JSON.createObjectNode();
            models.putArray("models").addObject().put("name", "models/gemini-3.1-flash-image");
            return models.put("nextPageToken", "more");
        }
        if (!exchange.getRequestMethod().equals("POST") || !path.startsWith(MODELS + "/") || !path.endsWith(GENERATE)) {
            throw new Refused(404, "NOT_FOUND", "", "Requested entity was not found: " + path);
        }
        var model = path.substring(MODELS.length() + 1, path.length() - GENERATE.length());
        if (!model.matches("gemini-(2\\.5-flash|3-pro|3\\.1-flash)-image|gemini-9-image")) {
            throw new Refused(404, "NOT_FOUND", "",
                    "models/" + model + " is not found for API version v1beta, or is not supported.");
        }
        var asked = JSON.readTree(body);
        check(asked, model);
        last.set(asked);
        return instead == null ? drawn(asked, model) : instead;
    }

    private static void check(JsonNode asked, String model) throws Refused {
        known("", asked);
        var parts = asked.path("contents").path(0).path("parts");
        if (parts.path(0).path("text").asText().isEmpty()) {
            throw invalid("* GenerateContentRequest.contents: contents is not specified");
        }
        for (JsonNode part : parts) {
            if (part.has("inlineData")
                    && !part.path("inlineData").path("mimeType").asText().matches("image/(png|jpeg|webp)")) {
                throw invalid("Unsupported MIME type");
            }
        }
        var config = asked.path("generationConfig");
        double temperature = config.path("temperature").asDouble(1);
        if (temperature < 0 || temperature > 2) {
            throw invalid("* GenerateContentRequest.generation_config.temperature: must be within [0.0, 2.0]");
        }
        checkImage(config.path("imageConfig"), model);
    }

    private static void checkImage(JsonNode image, String model) throws Refused {
        var shape = image.path("aspectRatio").asText("1:1");
        if (!SHAPES.contains(shape) && !(model.contains("3.1") && MORE_SHAPES.contains(shape))) {
            throw invalid("aspect_ratio must be one of the supported ones: " + shape);
        }
        if (image.has("imageSize") && (model.contains("2.5")
                || !image.path("imageSize").asText().matches(model.contains("3.1") ? "512|1K|2K|4K" : "1K|2K|4K"))) {
            throw invalid("Image size is not supported by this model: " + image.path("imageSize").asText());
        }
    }

    /** The real one reads protocol buffers, which have no room for unknown fields. */
    private static void known(String name, JsonNode node) throws Refused {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!FIELDS.getOrDefault(name, Set.of()).contains(field.getKey())) {
                throw invalid("Invalid JSON payload received. Unknown name \"" + field.getKey() + "\" at '" + name
                        + "': Cannot find field.");
            }
            for (JsonNode value : field.getValue().isArray() ? field.getValue() : Set.of(field.getValue())) {
                known(field.getKey(), value);
            }
        }
    }

    private static Refused invalid(String message) {
        return new Refused(400, "INVALID_ARGUMENT", "", message);
    }

    private static ObjectNode drawn(JsonNode asked, String model) {
        var answer = JSON.createObjectNode().put("modelVersion", model).put("responseId", "answer_of_a_test");
        answer.putObject("usageMetadata").put("promptTokenCount", 9).put("candidatesTokenCount", 1290)
                .put("thoughtsTokenCount", 100).put("totalTokenCount", 1399);
        if (asked.path("contents").path(0).path("parts").path(0).path("text").asText().contains("forbidden")) {
            answer.putObject("promptFeedback").put("blockReason", "PROHIBITED_CONTENT");
            return answer;
        }
        var image = asked.path("generationConfig").path("imageConfig");
        var size = SIZES.getOrDefault(image.path("aspectRatio").asText("1:1"), new int[]{1024, 1024});
        int part = image.path("imageSize").asText("1K").equals("512") ? 2 : 1;
        var candidate = answer.putArray("candidates").addObject().put("finishReason", "STOP").put("index", 0);
        var parts = candidate.putObject("content").put("role", "model").putArray("parts");
        inline(parts.addObject().put("thought", true), SampleImages.png(16, 16));
        parts.addObject().put("text", "Here it is.");
        inline(parts.addObject().put("thoughtSignature", "c2lnbmF0dXJl"),
                SampleImages.png(size[0] / part, size[1] / part));
        return answer;
    }

    private static void inline(ObjectNode part, byte[] picture) {
        part.putObject("inlineData").put("mimeType", "image/png").put("data",
                Base64.getEncoder().encodeToString(picture));
    }
}
