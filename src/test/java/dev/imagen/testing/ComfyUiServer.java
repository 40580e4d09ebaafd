package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * ComfyUI behind a proxy that asks for a token: one queue, one picture at a time, and a socket for each client that
 * hears of its own prompts, and of those of clients without one. It refuses what the real one refuses, and what the
 * real one would not heed.
 */
public final class ComfyUiServer extends ContractServer {

    /** The only token that the proxy lets through. */
    public static final String KEY = "a-token-of-a-test";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ComfyUiSockets sockets = new ComfyUiSockets();
    private final ComfyUiQueue queue = new ComfyUiQueue(sockets);
    private final Map<String, byte[]> uploads = new ConcurrentHashMap<>();
    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private final Set<String> asked = ConcurrentHashMap.newKeySet();
    private final AtomicInteger uploaded = new AtomicInteger();
    private volatile WebSocketFront front;
    private volatile List<String> checkpoints = ComfyUiNodes.CHECKPOINTS;
    private volatile boolean old;
    private volatile boolean loseAnswer;
    private volatile boolean loseLooks;
    private volatile Runnable beforeDelete = () -> {};
    private volatile String partlyWrong = "";

    /** A server that listens. */
    public static ComfyUiServer start() throws IOException {
        var server = new ComfyUiServer();
        server.sockets.tell(server.queue::look);
        server.queue.start();
        server.listen();
        return server;
    }

    @Override
    public void listen() throws IOException {
        super.listen();
        front = new WebSocketFront(front == null ? 0 : front.port(), super.url().getPort(), sockets);
    }

    @Override
    public URI url() {
        return URI.create("http://127.0.0.1:" + front.port());
    }

    @Override
    public void close() {
        super.close();
        front.close();
    }

    /** Draws no step from now on but as many as {@link #draw} allows. */
    public void drawSlowly() {
        queue.slow(true);
    }

    /** Lets some steps be drawn, and waits until they are. */
    public void draw(int steps) throws InterruptedException {
        queue.allow(steps);
    }

    /** Draws as fast as it can again. */
    public void drawFast() {
        queue.slow(false);
    }

    /** Takes the next prompt out of the queue and does not begin with it; and then begins. */
    public void holdBeforeStart(boolean hold) {
        queue.holdBeforeStart(hold);
    }

    /** Waits until a prompt is drawn. */
    public void awaitDrawing() throws InterruptedException {
        queue.await(queue -> queue.running().isPresent());
    }

    /** Waits until this prompt is drawn. */
    public void awaitDrawingOf(String id) throws InterruptedException {
        queue.await(queue -> queue.running().equals(Optional.of(id)));
    }

    /** Which prompt is drawn. */
    public String drawing() {
        return queue.running().orElseThrow();
    }

    /** Lets the prompt that is drawn end, and waits until the next one has begun. */
    public void letEnd(String id) {
        try {
            queue.allow(20);
            queue.await(queue -> queue.running().filter(running -> !running.equals(id)).isPresent());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until a prompt stands in the queue behind another one. */
    public void awaitPending() throws InterruptedException {
        queue.await(queue -> queue.waiting() > 0);
    }

    /** Waits until there were so many prompts, drawn or waiting, at a time. */
    public void awaitAtOnce(int prompts) throws InterruptedException {
        queue.await(queue -> queue.remaining() == prompts);
    }

    /** Waits until nothing is drawn, and nothing waits. */
    public void awaitIdle() throws InterruptedException {
        queue.await(queue -> queue.waiting() == 0 && queue.running().isEmpty());
    }

    /** Waits until something was deleted from the queue. */
    public void awaitDeleted() throws InterruptedException {
        queue.await(queue -> !queue.deleted().isEmpty());
    }

    /** Waits until so many interrupts have come. */
    public void awaitInterrupts(int count) throws InterruptedException {
        queue.await(queue -> queue.interrupted().size() >= count);
    }

    /** Waits until somebody has looked for a prompt in the history. */
    public void awaitLookFor(String id) throws InterruptedException {
        queue.await(_ -> asked.contains(id));
    }

    /** Which prompts were interrupted. */
    public List<String> interrupted() {
        return queue.interrupted();
    }

    /** Which prompts were drawn, to their end or not. */
    public List<String> drawn() {
        return queue.drawn();
    }

    /** What another user does. */
    public void interruptWhateverIsDrawn() {
        queue.interrupt("");
    }

    /** What is drawn fails. */
    public void fail(String type, String message) {
        queue.fail(new ComfyUiQueue.Failure(type, message));
    }

    /** Waits until there is a socket. */
    public void awaitSocket() throws InterruptedException {
        queue.await(_ -> sockets.count() > 0);
    }

    /** Waits until there is none. */
    public void awaitNoSocket() throws InterruptedException {
        queue.await(_ -> sockets.count() == 0);
    }

    /** Waits until there were so many, one after the other. */
    public void awaitSockets(int count) throws InterruptedException {
        queue.await(_ -> sockets.opened() >= count);
    }

    /** One that gives prompts ids of its own, and interrupts whatever it draws. */
    public void beOld() {
        old = true;
    }

    /** What is before the server knows no sockets. */
    public void refuseSockets() {
        sockets.refuse();
    }

    /** No socket that is open by now hears anything any more, not even that. */
    public void muteSockets() {
        sockets.mute();
    }

    /** Cuts every socket without a word. */
    public void cutSockets() {
        sockets.cut();
    }

    /** The next prompt is taken, and the connection cut instead of an answer. */
    public void loseNextAnswer() {
        loseAnswer = true;
    }

    /** Nobody is told how a prompt fares by the history or the queue. */
    public void loseLooks(boolean lose) {
        loseLooks = lose;
    }

    /** What happens in the moment before something is deleted from the queue. */
    public void beforeDelete(Runnable happens) {
        beforeDelete = happens;
    }

    /** A node by whose fault a part of each graph is left out. */
    public void leaveOut(String node) {
        partlyWrong = node;
    }

    /** Which checkpoints it has. */
    public void has(String... checkpoints) {
        this.checkpoints = List.of(checkpoints);
    }

    /** The server is ended and started again. */
    public void restart() {
        queue.restart();
        cutSockets();
    }

    /** What was posted last. */
    public JsonNode last() {
        return last.get();
    }

    /** The id of what was posted last. */
    public String lastId() {
        return last().path("prompt_id").textValue();
    }

    /** How many uploads there were, and how many pictures are there of them. */
    public List<Integer> uploads() {
        return List.of(uploaded.get(), uploads.size());
    }

    /** Another user's prompt, of the usual graph; without a socket, so that everybody hears of it. */
    public void anotherUserDraws(String id) throws IOException {
        var graph = JSON.readTree("""
                {"1": {"class_type": "KSampler", "inputs": {"steps": 20}},
                 "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "theirs"}}}""");
        queue.put(id, graph, "");
    }

    @Override
    protected void prepare(HttpExchange exchange) {
        // See WebSocketFront.
        exchange.getResponseHeaders().set("Connection", "close");
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return exchange.getRequestMethod().equals("POST") && exchange.getRequestURI().getPath().equals("/prompt");
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        var path = exchange.getRequestURI().getPath();
        if (!("Bearer " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            send(exchange, 401, "text/plain", "who are you".getBytes(StandardCharsets.UTF_8));
            return;
        }
        if (exchange.getRequestHeaders().containsKey("Origin")) {
            send(exchange, 403, "text/plain", new byte[0]);
            return;
        }
        switch (exchange.getRequestMethod() + " " + path.replaceFirst("^/([^/]*)(/.*)?$", "/$1")) {
            case "GET /prompt" -> json(exchange, 200, JSON.createObjectNode().set("exec_info",
                    JSON.createObjectNode().put("queue_remaining", queue.remaining())));
            case "POST /prompt" -> prompt(exchange, JSON.readTree(body));
            case "GET /history" -> {
                var id = path.substring("/history/".length());
                asked.add(id);
                queue.look();
                look(exchange, queue.history(id));
            }
            case "GET /queue" -> look(exchange, queue.queue());
            case "POST /queue" -> {
                beforeDelete.run();
                JSON.readTree(body).path("delete").forEach(id -> queue.delete(id.asText()));
                send(exchange, 200, "text/plain", new byte[0]);
            }
            case "POST /interrupt" -> {
                queue.interrupt(old ? "" : JSON.readTree(body).path("prompt_id").asText());
                send(exchange, 200, "text/plain", new byte[0]);
            }
            case "POST /upload" -> upload(exchange, body);
            case "GET /view" -> view(exchange, query(exchange));
            case "GET /object_info" -> json(exchange, 200, ComfyUiNodes.info(path.substring("/object_info/".length())));
            case "GET /models" -> models(exchange, path);
            case "GET /system_stats" -> json(exchange, 200, stats());
            default -> send(exchange, 404, "text/plain", "404: Not Found".getBytes(StandardCharsets.UTF_8));
        }
    }

    private void look(HttpExchange exchange, ObjectNode answer) throws IOException {
        if (loseLooks) {
            throw new IOException("cut on purpose");
        }
        json(exchange, 200, answer);
    }

    private void prompt(HttpExchange exchange, JsonNode asked) throws IOException {
        last.set(asked);
        var id = asked.path("prompt_id").asText("");
        if (!id.matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")) {
            json(exchange, 400, JSON.createObjectNode().set("error",
                    JSON.createObjectNode().put("message", "prompt_id must be a valid UUID")));
            return;
        }
        if (!asked.path("extra_data").toString().equals("{\"preview_method\":\"auto\"}") || asked.size() != 4) {
            send(exchange, 400, "text/plain", "nobody heeds that".getBytes(StandardCharsets.UTF_8));
            return;
        }
        var wrong = ComfyUiNodes.wrong(asked.path("prompt"), uploads::containsKey);
        if (!wrong.isEmpty()) {
            json(exchange, 400, wrong);
            return;
        }
        var own = old ? UUID.randomUUID().toString() : id;
        int number = queue.put(own, asked.path("prompt"), asked.path("client_id").asText());
        if (loseAnswer) {
            loseAnswer = false;
            throw new IOException("cut on purpose");
        }
        var answer = JSON.createObjectNode().put("prompt_id", own).put("number", number);
        var errors = answer.putObject("node_errors");
        if (!partlyWrong.isEmpty()) {
            errors.putObject(partlyWrong).put("class_type", "SaveImage").putArray("errors").addObject()
                    .put("message", "Required input is missing").put("details", "images");
        }
        json(exchange, 200, answer);
    }

    private void upload(HttpExchange exchange, byte[] body) throws IOException {
        var form = MultipartForm.read(exchange.getRequestHeaders().getFirst("Content-Type"), body);
        var image = form.named("image");
        if (image.size() != 1 || image.getFirst().fileName().isEmpty()
                || !form.named("type").getFirst().text().equals("input")) {
            send(exchange, 400, "text/plain", new byte[0]);
            return;
        }
        uploaded.incrementAndGet();
        var folder = form.named("subfolder").getFirst().text();
        var name = image.getFirst().fileName().get();
        uploads.put(folder + "/" + name, image.getFirst().bytes());
        json(exchange, 200, JSON.createObjectNode().put("name", name).put("subfolder", folder).put("type", "input"));
    }

    /** What was uploaded under a name, as LoadImage takes it. */
    public byte[] upload(String name) {
        return uploads.get(name);
    }

    private static Map<String, String> query(HttpExchange exchange) {
        var query = new HashMap<String, String>();
        for (String pair : exchange.getRequestURI().getRawQuery().split("&")) {
            int at = pair.indexOf('=');
            query.put(pair.substring(0, at), URLDecoder.decode(pair.substring(at + 1), StandardCharsets.UTF_8));
        }
        return query;
    }

    private void view(HttpExchange exchange, Map<String, String> query) throws IOException {
        byte[] file = queue.file(query.get("type"), query.get("subfolder"), query.get("filename"));
        if (file == null) {
            send(exchange, 404, "text/plain", new byte[0]);
        } else {
            send(exchange, 200, "image/png", file);
        }
    }

    private void models(HttpExchange exchange, String path) throws IOException {
        if (!path.equals("/models/checkpoints")) {
            send(exchange, 404, "text/plain", new byte[0]);
            return;
        }
        send(exchange, 200, "application/json", JSON.writeValueAsBytes(checkpoints));
    }

    private static ObjectNode stats() {
        var stats = JSON.createObjectNode();
        stats.putObject("system").put("os", "posix").put("comfyui_version", "0.3.64");
        stats.putArray("devices").addObject().put("name", "cuda:0").put("type", "cuda");
        return stats;
    }

    private static void json(HttpExchange exchange, int status, JsonNode json) throws IOException {
        send(exchange, status, "application/json", JSON.writeValueAsBytes(json));
    }
}
