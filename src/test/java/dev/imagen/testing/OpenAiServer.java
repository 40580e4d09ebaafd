package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import dev.imagen.testing.OpenAiRules.Refused;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** OpenAI's {@code /v1/images/generations} and {@code edits}, which refuse what the real ones refuse. */
public final class OpenAiServer extends ContractServer {

    /** The only key that it takes. */
    public static final String KEY = "sk-proj-key-of-a-test";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String GENERATIONS = "/v1/images/generations";
    private static final String EDITS = "/v1/images/edits";
    private static final String MODELS = "/v1/models";

    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private final AtomicReference<MultipartForm> lastForm = new AtomicReference<>();

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

    /** The form that was sent last. */
    public MultipartForm lastForm() {
        return lastForm.get();
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return Set.of(GENERATIONS, EDITS).contains(exchange.getRequestURI().getPath());
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
            answer(exchange, path, exchange.getRequestBody().readAllBytes());
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

    private void answer(HttpExchange exchange, String path, byte[] body) throws IOException, Refused {
        var authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (authorization == null || !authorization.startsWith("Bearer ")) {
            throw new Refused(401, "You didn't provide an API key.", null, null);
        }
        if (!authorization.equals("Bearer " + KEY)) {
            throw new Refused(401, "Incorrect API key provided: " + authorization.substring(7) + ".", null,
                    "invalid_api_key");
        }
        if (!Set.of(GENERATIONS, EDITS, MODELS).contains(path)) {
            throw new Refused(404, "Invalid URL (" + exchange.getRequestMethod() + " " + exchange.getRequestURI() + ")",
                    null, null);
        }
        if (!exchange.getRequestMethod().equals(path.equals(MODELS) ? "GET" : "POST")) {
            throw new Refused(405, "Not allowed to " + exchange.getRequestMethod() + " on " + path + ".", null,
                    "method_not_supported");
        }
        if (path.equals(MODELS)) {
            send(exchange, 200, "application/json", models());
            return;
        }
        var asked = path.equals(EDITS) ? form(exchange, body) : json(exchange, body);
        last.set(asked);
        OpenAiRules.check(asked, path.equals(EDITS));
        var answer = generated(asked, path.equals(EDITS));
        if (asked.path("stream").asBoolean()) {
            stream(exchange, answer, path.equals(EDITS) ? "image_edit." : "image_generation.",
                    asked.path("partial_images").asInt());
        } else {
            send(exchange, 200, "application/json", JSON.writeValueAsBytes(answer));
        }
    }

    private static byte[] models() throws IOException {
        var models = JSON.createObjectNode().put("object", "list");
        models.putArray("data").addObject().put("id", "gpt-image-2").put("object", "model").put("created", 1764284400)
                .put("owned_by", "system");
        return JSON.writeValueAsBytes(models);
    }

    private static JsonNode json(HttpExchange exchange, byte[] body) throws IOException, Refused {
        if (!"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            throw new Refused(400, "Unsupported content type", null, "unsupported_content_type");
        }
        return JSON.readTree(body);
    }

    private JsonNode form(HttpExchange exchange, byte[] body) throws Refused {
        try {
            var form = MultipartForm.read(exchange.getRequestHeaders().getFirst("Content-Type"), body);
            lastForm.set(form);
            var fields = OpenAiRules.fields(form);
            OpenAiRules.checkImages(form, fields.path("model").asText("dall-e-2"));
            return fields;
        } catch (IllegalArgumentException e) {
            throw new Refused(400, "Could not parse multipart form: " + e.getMessage(), null, null);
        }
    }

    /** As many previews as were asked for, and then the picture. */
    private static void stream(HttpExchange exchange, ObjectNode answer, String kind, int previews) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
        exchange.sendResponseHeaders(200, 0);
        for (int i = 0; i < previews; i++) {
            event(exchange,
                    common(answer).put("b64_json", Base64.getEncoder().encodeToString(SampleImages.png(64 + i, 64)))
                            .put("type", kind + "partial_image").put("partial_image_index", i));
        }
        var last = common(answer).put("type", kind + "completed").put("b64_json",
                answer.path("data").path(0).path("b64_json").textValue());
        last.set("usage", answer.path("usage"));
        event(exchange, last);
    }

    private static ObjectNode common(ObjectNode answer) {
        return JSON.createObjectNode().put("created_at", answer.path("created").asLong())
                .put("size", answer.path("size").asText()).put("quality", answer.path("quality").asText())
                .put("background", answer.path("background").asText())
                .put("output_format", answer.path("output_format").asText());
    }

    private static void event(HttpExchange exchange, ObjectNode data) throws IOException {
        exchange.getResponseBody().write(
                ("event: " + data.path("type").asText() + "\ndata: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().flush();
    }

    private ObjectNode generated(JsonNode asked, boolean edits) {
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
            int image = edits ? 194 : 0;
            int output = 272 + 100 * asked.path("partial_images").asInt();
            answer.putObject("usage").put("total_tokens", 13 + image + output).put("input_tokens", 13 + image)
                    .put("output_tokens", output).putObject("input_tokens_details").put("text_tokens", 13)
                    .put("image_tokens", image);
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
