package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * fal's queue. It refuses what the real one refuses, and inputs that the real one would ignore because the model does
 * not have them.
 */
public final class FalServer extends ContractServer {

    /** The only key that it takes. */
    public static final String KEY = "0a1b2c3d-key:of-a-test";

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Set<String> FLUX = Set.of("prompt", "image_size", "num_inference_steps", "seed",
            "guidance_scale", "num_images", "enable_safety_checker", "output_format", "acceleration", "sync_mode");
    private static final Set<String> FLUX_PRO = Set.of("prompt", "image_size", "seed", "num_images", "output_format",
            "safety_tolerance", "sync_mode", "enhance_prompt");
    private static final Set<String> FLUX_IMAGE = Set.of("prompt", "image_url", "strength", "num_inference_steps",
            "seed", "guidance_scale", "output_format", "acceleration", "num_images");
    private static final Set<String> SDXL = Set.of("prompt", "negative_prompt", "image_size", "num_inference_steps",
            "seed", "guidance_scale", "num_images", "loras", "expand_prompt", "format");
    private static final Set<String> SDXL_IMAGE = Set.of("prompt", "negative_prompt", "image_size", "image_url",
            "strength", "num_inference_steps", "seed", "guidance_scale", "num_images");

    private static final Map<String, Set<String>> MODELS = Map.of("fal-ai/flux/schnell", FLUX, "fal-ai/flux/dev", FLUX,
            "fal-ai/flux-2", FLUX, "fal-ai/flux-pro/v1.1", FLUX_PRO, "fal-ai/flux-2-pro", FLUX_PRO,
            "fal-ai/flux/dev/image-to-image", FLUX_IMAGE, "fal-ai/fast-sdxl", SDXL, "fal-ai/fast-sdxl/image-to-image",
            SDXL_IMAGE, "acme/painter", Set.of("prompt", "style"));

    /** As it renders an error. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final transient JsonNode detail;

        Refused(int status, JsonNode detail) {
            this.status = status;
            this.detail = detail;
        }

        Refused(int status, String detail) {
            this(status, JSON.getNodeFactory().textNode(detail));
        }
    }

    /** A request in the queue, by its id. @param app whose it is */
    private record Standing(String app, JsonNode input, AtomicReference<String> status) {}

    private final Map<String, Standing> requests = new ConcurrentHashMap<>();
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Queue<Fault> statusFaults = new ConcurrentLinkedQueue<>();
    private final Queue<Fault> responseFaults = new ConcurrentLinkedQueue<>();
    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private final AtomicReference<String> lastCall = new AtomicReference<>();
    private final Semaphore polls = new Semaphore(0);
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private volatile String host = "https://queue.fal.run";
    private volatile boolean slow;
    private volatile String logs = "";
    private volatile JsonNode output;

    /** A server that listens. */
    public static FalServer start() throws IOException {
        var server = new FalServer();
        server.listen();
        return server;
    }

    /** Leaves requests running from now on. */
    public void runSlowly() {
        slow = true;
    }

    /** Completes those that run, and runs as fast as it can again. */
    public void finish() {
        slow = false;
    }

    /** What those that run have printed. */
    public void print(String text) {
        logs = text;
    }

    /** Knows none any more. */
    public void forget() {
        requests.clear();
    }

    /** Every model's output is this one from now on. */
    public void giveOut(String json) throws IOException {
        output = JSON.readTree(json);
    }

    /** Where its answers say that requests are; at first fal's own server, whatever its own address is. */
    public void callItself(String name) {
        host = name;
    }

    /** How the next question for a request's status fares. */
    public void nextStatus(Fault fault) {
        statusFaults.add(fault);
    }

    /** How the next question for a request's response fares. */
    public void nextResponse(Fault fault) {
        responseFaults.add(fault);
    }

    /** Waits until somebody has asked so many times more how a request fares. */
    public void awaitPolls(int more) throws InterruptedException {
        if (!polls.tryAcquire(more, 20, TimeUnit.SECONDS)) {
            throw new AssertionError("nobody asks");
        }
    }

    /** Waits until a request is cancelled. */
    public void awaitCancelled() throws InterruptedException {
        await(cancelled, "nobody cancelled");
    }

    /** Input of the last request. */
    public JsonNode last() {
        return last.get();
    }

    /** Its path and how long it may wait. */
    public String lastCall() {
        return lastCall.get();
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return exchange.getRequestMethod().equals("POST");
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        exchange.getResponseHeaders().set("x-fal-request-id", "req-of-a-test");
        var path = exchange.getRequestURI().getPath();
        if (files.containsKey(path)) {
            send(exchange, 200, "image/png", files.get(path));
            return;
        }
        try {
            if (!("Key " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                throw new Refused(401, "Cannot access application. Authentication is required.");
            }
            api(exchange, path.substring(1), body);
        } catch (Refused e) {
            json(exchange, e.status, JSON.createObjectNode().set("detail", e.detail));
        }
    }

    private void api(HttpExchange exchange, String path, byte[] body) throws IOException, Refused {
        var parts = path.split("/");
        if (generates(exchange)) {
            submit(exchange, path, JSON.readTree(body));
        } else if (parts.length < 4 || !parts[2].equals("requests")) {
            // A request is known by owner and alias alone, whatever else was in the path that it was sent to.
            throw new Refused(405, "Method Not Allowed");
        } else if (exchange.getRequestMethod().equals("PUT") && path.endsWith("/cancel")) {
            cancel(exchange, parts);
        } else if (path.endsWith("/status")) {
            status(exchange, parts);
        } else {
            response(exchange, parts);
        }
    }

    private void submit(HttpExchange exchange, String model, JsonNode asked) throws IOException, Refused {
        if (!MODELS.containsKey(model)) {
            throw new Refused(404, "Application '" + model + "' not found");
        }
        var timeout = exchange.getRequestHeaders().getFirst("X-Fal-Request-Timeout");
        if (timeout != null && Double.parseDouble(timeout) <= 1) {
            throw new Refused(400, "Request timeout must be greater than 1 second");
        }
        check(asked, MODELS.get(model));
        last.set(asked);
        lastCall.set("/" + model + " " + timeout);
        var id = UUID.randomUUID().toString();
        var app = model.split("/")[0] + "/" + model.split("/")[1];
        requests.put(id, new Standing(app, asked, new AtomicReference<>("IN_QUEUE")));
        json(exchange, 200, told(id, app, "IN_QUEUE").put("queue_position", 0));
    }

    private ObjectNode told(String id, String app, String status) {
        var address = host + "/" + app + "/requests/" + id;
        return JSON.createObjectNode().put("status", status).put("request_id", id).put("response_url", address)
                .put("status_url", address + "/status").put("cancel_url", address + "/cancel");
    }

    private static void check(JsonNode asked, Set<String> inputs) throws Refused {
        var wrong = JSON.createArrayNode();
        if (asked.path("prompt").asText().isEmpty()) {
            wrong(wrong, "prompt", "Field required", "missing");
        }
        for (Map.Entry<String, JsonNode> field : asked.properties()) {
            var value = field.getValue();
            boolean right = inputs.contains(field.getKey()) && switch (field.getKey()) {
                case "image_size" -> value.isTextual() || value.path("width").canConvertToInt()
                        && value.path("height").canConvertToInt() && value.size() == 2;
                case "num_inference_steps" ->
                    value.isIntegralNumber() && value.intValue() >= 1 && value.intValue() <= 50;
                case "seed", "num_images" -> value.isIntegralNumber();
                case "guidance_scale", "strength" -> value.isNumber();
                case "image_url" -> value.asText().matches("(https?|data:image/(png|jpeg|webp);base64,)(?s).+");
                case "output_format", "format" -> List.of("jpeg", "png").contains(value.asText());
                case "safety_tolerance" -> value.isTextual();
                default -> true;
            };
            if (!right) {
                wrong(wrong, field.getKey(), "Input should be valid", "value_error");
            }
        }
        if (asked.path("prompt").asText().contains("forbidden")) {
            wrong(wrong, "prompt", "The content could not be processed because it was flagged by a content checker.",
                    "content_policy_violation");
        }
        if (!wrong.isEmpty()) {
            throw new Refused(422, wrong);
        }
    }

    private static void wrong(ArrayNode list, String field, String message, String type) {
        list.addObject().put("msg", message).put("type", type).putArray("loc").add("body").add(field);
    }

    private Standing find(String[] parts) throws Refused {
        var one = requests.get(parts[3]);
        if (one == null || !one.app().equals(parts[0] + "/" + parts[1])) {
            throw new Refused(404, "Request not found");
        }
        return one;
    }

    private void status(HttpExchange exchange, String[] parts) throws IOException, Refused {
        polls.release();
        var fault = statusFaults.poll();
        if (fault != null) {
            fault.meet(exchange);
            return;
        }
        var one = find(parts);
        var next = slow ? "IN_PROGRESS" : "COMPLETED";
        one.status().updateAndGet(now -> now.equals("CANCELLED") ? now : next);
        var told = told(parts[3], one.app(), next);
        if ("logs=1".equals(exchange.getRequestURI().getQuery())) {
            var lines = told.putArray("logs");
            Arrays.stream(logs.split("\n")).forEach(
                    line -> lines.addObject().put("message", line).put("level", "STDERR").put("source", "USER"));
        }
        if (!slow) {
            told.putObject("metrics").put("inference_time", 0.5);
        }
        json(exchange, slow ? 202 : 200, told);
    }

    private void response(HttpExchange exchange, String[] parts) throws IOException, Refused {
        var one = find(parts);
        if (!one.status().get().equals("COMPLETED")) {
            throw new Refused(400, "Request is still in progress");
        }
        var fault = responseFaults.poll();
        if (fault != null) {
            fault.meet(exchange);
            return;
        }
        json(exchange, 200, output == null ? drawn(one.input()) : output);
    }

    private void cancel(HttpExchange exchange, String[] parts) throws IOException, Refused {
        var one = find(parts);
        boolean late = one.status().get().equals("COMPLETED");
        one.status().set(late ? "COMPLETED" : "CANCELLED");
        json(exchange, late ? 400 : 202,
                JSON.createObjectNode().put("status", late ? "ALREADY_COMPLETED" : "CANCELLATION_REQUESTED"));
        cancelled.countDown();
    }

    private ObjectNode drawn(JsonNode input) {
        int width = input.path("image_size").path("width").asInt(1024);
        int height = input.path("image_size").path("height").asInt(768);
        var drawn = JSON.createObjectNode().put("prompt", input.path("prompt").textValue()).put("seed",
                input.path("seed").asLong());
        var images = drawn.putArray("images");
        var flagged = drawn.putArray("has_nsfw_concepts");
        for (int i = 0; i < input.path("num_images").asInt(1); i++) {
            images.addObject().put("url", url() + keep(SampleImages.png(width, height))).put("width", width)
                    .put("height", height).put("content_type", "image/png");
            flagged.add(false);
        }
        return drawn;
    }

    /** Keeps a picture to be fetched. @return its path */
    public String keep(byte[] picture) {
        var path = "/files/" + UUID.randomUUID() + ".png";
        files.put(path, picture);
        return path;
    }

    private static void json(HttpExchange exchange, int status, JsonNode json) throws IOException {
        send(exchange, status, "application/json", JSON.writeValueAsBytes(json));
    }
}
