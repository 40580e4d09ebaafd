package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Replicate's predictions. It refuses what the real one refuses, and inputs that the real one would ignore because the
 * model does not have them.
 */
public final class ReplicateServer extends ContractServer {

    /** The only token that it takes. */
    public static final String KEY = "r8_token_of_a_test";

    /** Of models that are run by their version alone. */
    public static final String VERSION = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> ASPECTS = Set.of("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3",
            "9:16", "9:21");

    /** What a model has for an input. */
    private static boolean takes(String type, JsonNode value) {
        var kind = type.split(" ");
        return switch (kind[0]) {
            case "text" -> value.isTextual() && !value.textValue().isEmpty();
            case "flag" -> value.isBoolean();
            case "picture" -> value.asText().matches("(https?|data:image/(png|jpeg|webp);base64,)(?s).+");
            case "choice" -> List.of(kind).subList(1, kind.length).contains(value.asText());
            case "whole" -> value.isIntegralNumber() && within(value, kind);
            default -> value.isNumber() && within(value, kind);
        };
    }

    private static boolean within(JsonNode value, String[] kind) {
        return value.doubleValue() >= Double.parseDouble(kind[1]) && value.doubleValue() <= Double.parseDouble(kind[2]);
    }

    private static final Map<String, String> FLUX_SCHNELL = Map.of("prompt", "text", "aspect_ratio",
            "choice " + String.join(" ", ASPECTS), "num_outputs", "whole 1 4", "num_inference_steps", "whole 1 4",
            "seed", "whole 0 1e18", "output_format", "choice webp jpg png", "output_quality", "whole 0 100",
            "disable_safety_checker", "flag", "go_fast", "flag", "megapixels", "choice 1 0.25");
    private static final Map<String, String> FLUX_DEV = with(FLUX_SCHNELL, "num_inference_steps", "whole 1 50",
            "guidance", "number 0 10", "image", "picture", "prompt_strength", "number 0 1");
    private static final Map<String, String> FLUX_PRO = Map.of("prompt", "text", "aspect_ratio",
            "choice custom " + String.join(" ", ASPECTS), "width", "whole 256 1440", "height", "whole 256 1440", "seed",
            "whole 0 1e18", "output_format", "choice webp jpg png", "output_quality", "whole 0 100", "safety_tolerance",
            "whole 1 6", "prompt_upsampling", "flag", "image_prompt", "picture");
    private static final Map<String, String> SDXL = with(
            Map.of("prompt", "text", "negative_prompt", "text", "width", "whole 1 10000", "height", "whole 1 10000",
                    "num_inference_steps", "whole 1 500", "guidance_scale", "number 1 50", "seed", "whole 0 1e18"),
            "num_outputs", "whole 1 4", "image", "picture", "prompt_strength", "number 0 1", "scheduler",
            "choice DDIM K_EULER");
    private static final Map<String, String> IMAGEN = Map.of("prompt", "text", "aspect_ratio",
            "choice 1:1 9:16 16:9 3:4 4:3", "output_format", "choice jpg png", "safety_filter_level",
            "choice block_low_and_above block_medium_and_above block_only_high");
    private static final Map<String, String> PHOENIX = Map.of("prompt", "text", "style", "choice none cinematic");

    private static final Map<String, Map<String, String>> MODELS = Map.of("black-forest-labs/flux-schnell",
            FLUX_SCHNELL, "black-forest-labs/flux-dev", FLUX_DEV, "black-forest-labs/flux-1.1-pro", FLUX_PRO,
            "black-forest-labs/flux-2-pro", with(FLUX_PRO, "width", "whole 256 2048", "height", "whole 256 2048"),
            "google/imagen-4", IMAGEN, "leonardoai/phoenix-1.0", PHOENIX, VERSION, SDXL, "acme/painter", PHOENIX);

    private static Map<String, String> with(Map<String, String> inputs, String... more) {
        var all = new TreeMap<>(inputs);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    /** As it renders an error. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final String title;

        Refused(int status, String title, String detail) {
            super(detail);
            this.status = status;
            this.title = title;
        }
    }

    private final Map<String, ObjectNode> predictions = new ConcurrentHashMap<>();
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Queue<Fault> pollFaults = new ConcurrentLinkedQueue<>();
    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private final AtomicReference<String> lastCall = new AtomicReference<>();
    private final Semaphore polls = new Semaphore(0);
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private volatile boolean slow;
    private volatile String failure = "";
    private volatile JsonNode output;

    /** A server that listens. */
    public static ReplicateServer start() throws IOException {
        var server = new ReplicateServer();
        server.listen();
        return server;
    }

    /** Leaves predictions running from now on. */
    public void runSlowly() {
        slow = true;
    }

    /** Ends those that run, and runs as fast as it can again. */
    public synchronized void finish() {
        slow = false;
        predictions.values().stream().filter(ReplicateServer::runs).forEach(this::succeed);
    }

    /** Ends those that run in another way. */
    public synchronized void end(String status) {
        predictions.values().stream().filter(ReplicateServer::runs).forEach(one -> one.put("status", status));
    }

    /** What those that run have printed. */
    public synchronized void print(String logs) {
        predictions.values().forEach(one -> one.put("logs", logs));
    }

    /** Knows none any more. */
    public void forget() {
        predictions.clear();
    }

    /** Every prediction fails from now on. */
    public void failWith(String error) {
        failure = error;
    }

    /** Every model's output is this one from now on. */
    public void giveOut(JsonNode value) {
        output = value;
    }

    /** How the next question for a prediction fares. */
    public void nextPoll(Fault fault) {
        pollFaults.add(fault);
    }

    /** Waits until a prediction has begun. */
    public void awaitBegun() throws InterruptedException {
        await(begun, "no prediction began");
    }

    /** Waits until somebody has asked so many times more how a prediction fares. */
    public void awaitPolls(int more) throws InterruptedException {
        if (!polls.tryAcquire(more, 20, TimeUnit.SECONDS)) {
            throw new AssertionError("nobody asks");
        }
    }

    /** Waits until a prediction is cancelled. */
    public void awaitCancelled() throws InterruptedException {
        await(cancelled, "nobody cancelled");
    }

    /** Statuses of all predictions. */
    public synchronized List<String> statuses() {
        return predictions.values().stream().map(one -> one.path("status").textValue()).toList();
    }

    /** Inputs of the last prediction. */
    public JsonNode last() {
        return last.get();
    }

    /** Its path and what it said of waiting. */
    public String lastCall() {
        return lastCall.get();
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return exchange.getRequestMethod().equals("POST")
                && exchange.getRequestURI().getPath().endsWith("/predictions");
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        var path = exchange.getRequestURI().getPath();
        var authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (files.containsKey(path)) {
            send(exchange, 200, "image/png", files.get(path));
            return;
        }
        try {
            if (!("Bearer " + KEY).equals(authorization)) {
                throw new Refused(401, "Unauthenticated", "You did not pass a valid authentication token");
            }
            api(exchange, exchange.getRequestMethod() + " " + path, body);
        } catch (Refused e) {
            json(exchange, e.status, JSON.createObjectNode().put("title", e.title).put("detail", e.getMessage())
                    .put("status", e.status));
        }
    }

    private void api(HttpExchange exchange, String call, byte[] body) throws IOException, Refused {
        if (call.equals("GET /v1/account")) {
            json(exchange, 200, JSON.createObjectNode().put("type", "user").put("username", "artist"));
        } else if (generates(exchange)) {
            create(exchange, call.substring("POST ".length()), JSON.readTree(body));
        } else if (call.matches("GET /v1/predictions/\\w+")) {
            polls.release();
            var fault = pollFaults.poll();
            if (fault != null) {
                fault.meet(exchange);
                return;
            }
            var one = find(call.substring(call.lastIndexOf('/') + 1));
            json(exchange, 200, copy(one));
            run(one);
        } else if (call.matches("POST /v1/predictions/\\w+/cancel")) {
            var one = find(call.split("/")[3]);
            cancel(one);
            json(exchange, 200, copy(one));
            cancelled.countDown();
        } else {
            throw new Refused(404, "Not found", "The requested resource could not be found.");
        }
    }

    private ObjectNode find(String id) throws Refused {
        var one = predictions.get(id);
        if (one == null) {
            throw new Refused(404, "Not found", "The requested resource could not be found.");
        }
        return one;
    }

    private void create(HttpExchange exchange, String path, JsonNode asked) throws IOException, Refused {
        if (!"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            throw new Refused(415, "Unsupported media type", "Unsupported media type in request.");
        }
        var prefer = exchange.getRequestHeaders().getFirst("Prefer");
        var deadline = exchange.getRequestHeaders().getFirst("Cancel-After");
        if (prefer != null && !prefer.matches("wait(=([1-9]|[1-5][0-9]|60))?")
                || deadline != null && !deadline.matches("[0-9]+[smh]")) {
            throw new Refused(400, "Bad request", "Bad header");
        }
        var model = model(path, asked);
        check(asked.path("input"), MODELS.get(model));
        last.set(asked.path("input"));
        lastCall.set(path + " " + prefer + " " + deadline);
        var one = begin(model, asked.path("input"));
        if (prefer != null) {
            run(one);
        }
        json(exchange, 201, copy(one));
    }

    private static String model(String path, JsonNode asked) throws Refused {
        if (path.equals("/v1/predictions")) {
            var version = asked.path("version").asText();
            if (!version.equals(VERSION)) {
                throw new Refused(422, "Invalid version or not permitted",
                        "The specified version does not exist (or perhaps you don't have permission to use it?)");
            }
            return version;
        }
        var model = path.replaceFirst("^/v1/(models|deployments)/", "").replaceFirst("/predictions$", "");
        if (asked.size() != 1 || !MODELS.containsKey(model)
                || path.startsWith("/v1/deployments/") != model.startsWith("acme/")) {
            throw new Refused(404, "Not found", "The requested resource could not be found.");
        }
        return model;
    }

    private static void check(JsonNode input, Map<String, String> inputs) throws Refused {
        var wrong = new ArrayList<String>();
        if (!input.has("prompt")) {
            wrong.add("- input: prompt is required\n");
        }
        input.properties().stream().filter(one -> !takes(inputs.getOrDefault(one.getKey(), "choice"), one.getValue()))
                .forEach(one -> wrong.add("- input." + one.getKey() + ": Invalid value\n"));
        if (!wrong.isEmpty()) {
            throw new Refused(422, "Input validation failed", String.join("", wrong));
        }
    }

    private ObjectNode begin(String model, JsonNode input) {
        var id = UUID.randomUUID().toString().replace("-", "");
        var one = JSON.createObjectNode().put("id", id).put("model", model).put("version", "hidden")
                .put("status", "starting").put("logs", "").putNull("output").putNull("error").put("source", "api")
                .put("data_removed", false).put("created_at", "2026-11-24T22:15:21.752Z");
        one.set("input", input);
        one.putObject("metrics");
        one.putObject("urls").put("get", "https://api.replicate.com/v1/predictions/" + id)
                .put("cancel", "https://api.replicate.com/v1/predictions/" + id + "/cancel")
                .put("web", "https://replicate.com/p/" + id);
        predictions.put(id, one);
        begun.countDown();
        return one;
    }

    private synchronized ObjectNode copy(ObjectNode one) {
        return one.deepCopy();
    }

    private synchronized void cancel(ObjectNode one) {
        if (runs(one)) {
            one.put("status", "canceled");
        }
    }

    private static boolean runs(JsonNode one) {
        return Set.of("starting", "processing").contains(one.path("status").textValue());
    }

    /** As far as it goes by now. */
    private synchronized void run(ObjectNode one) {
        if (runs(one) && slow) {
            one.put("status", "processing");
        } else if (runs(one)) {
            succeed(one);
        }
    }

    private void succeed(ObjectNode one) {
        if (failure.isEmpty()) {
            one.set("output", output == null ? drawn(one.path("input")) : output);
            one.put("status", "succeeded").putObject("metrics").put("predict_time", 1.25).put("total_time", 1.5);
        } else {
            one.put("status", "failed").put("error", failure);
        }
    }

    private JsonNode drawn(JsonNode input) {
        var size = size(input);
        byte[] picture = SampleImages.png(size[0], size[1]);
        if (input.path("aspect_ratio").isTextual() && !input.has("megapixels")) {
            // Those of other makers than Flux give one URL.
            return JSON.getNodeFactory().textNode(url() + keep(picture));
        }
        var urls = JSON.createArrayNode();
        for (int i = 0; i < input.path("num_outputs").asInt(1); i++) {
            urls.add(url() + keep(picture));
        }
        return urls;
    }

    private static int[] size(JsonNode input) {
        if (input.has("width")) {
            return new int[]{input.path("width").intValue(), input.path("height").intValue()};
        }
        return switch (input.path("aspect_ratio").asText("1:1")) {
            case "3:2" -> new int[]{1216, 832};
            case "16:9" -> input.has("megapixels") ? new int[]{1344, 768} : new int[]{1408, 768};
            default -> "0.25".equals(input.path("megapixels").asText()) ? new int[]{512, 512} : new int[]{1024, 1024};
        };
    }

    /** Keeps a picture to be fetched. @return its path */
    public String keep(byte[] picture) {
        var path = "/files/" + UUID.randomUUID() + ".png";
        files.put(path, picture);
        return path;
    }

    private static void json(HttpExchange exchange, int status, ObjectNode json) throws IOException {
        send(exchange, status, "application/json", JSON.writeValueAsBytes(json));
    }
}
