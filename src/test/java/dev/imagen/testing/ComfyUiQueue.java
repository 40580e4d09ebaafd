package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** The queue of a ComfyUI, and the one thread that draws what is in it; all under this object's monitor. */
final class ComfyUiQueue {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Who hears of what is drawn. */
    interface Told {
        /** @param client empty: everybody hears of it */
        void message(String client, JsonNode message);

        /** A binary message. */
        void message(String client, byte[] message);
    }

    /** @param client that asked for it; empty: one without a socket */
    record Entry(int number, String id, JsonNode graph, String client) {}

    /** What a node failed of. */
    record Failure(String type, String message) {}

    private final Told told;
    private final List<Entry> pending = new ArrayList<>();
    private final Map<String, ObjectNode> history = new LinkedHashMap<>();
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final List<String> interrupted = new ArrayList<>();
    private final List<String> deleted = new ArrayList<>();
    private final List<String> drawn = new ArrayList<>();
    private Entry running;
    private Failure failure;
    private boolean heldBeforeStart;
    private boolean interrupt;
    private boolean slow;
    private int allowed;
    private int number;
    private int lives;

    ComfyUiQueue(Told told) {
        this.told = told;
    }

    /** Begins to draw what comes. */
    void start() {
        int life = lives;
        Thread.ofVirtual().start(() -> {
            try {
                drawAll(life);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** Forgets everything, as a restart does. */
    synchronized void restart() {
        lives++;
        pending.clear();
        history.clear();
        running = null;
        notifyAll();
        start();
    }

    synchronized int put(String id, JsonNode graph, String client) {
        pending.add(new Entry(number, id, graph, client));
        notifyAll();
        return number++;
    }

    synchronized void delete(String id) {
        if (pending.removeIf(entry -> entry.id().equals(id))) {
            deleted.add(id);
        }
        notifyAll();
    }

    /** Ends what is drawn, if it is this; empty: whatever is drawn. */
    synchronized void interrupt(String id) {
        if (id.isEmpty() || running != null && running.id().equals(id)) {
            interrupted.add(running == null ? "nothing" : running.id());
            interrupt = true;
        }
        notifyAll();
    }

    synchronized ObjectNode queue() {
        var queue = JSON.createObjectNode();
        var now = queue.putArray("queue_running");
        if (running != null) {
            add(now, running);
        }
        var waiting = queue.putArray("queue_pending");
        pending.forEach(entry -> add(waiting, entry));
        return queue;
    }

    private static void add(ArrayNode list, Entry entry) {
        var item = list.addArray().add(entry.number()).add(entry.id()).add(entry.graph());
        item.addObject().put("client_id", entry.client());
        item.addArray();
    }

    synchronized ObjectNode history(String id) {
        var answer = JSON.createObjectNode();
        if (history.containsKey(id)) {
            answer.set(id, history.get(id));
        }
        return answer;
    }

    synchronized byte[] file(String type, String subfolder, String name) {
        return files.get(type + "/" + subfolder + "/" + name);
    }

    private void drawAll(int life) throws InterruptedException {
        while (true) {
            Entry entry;
            synchronized (this) {
                while (pending.isEmpty() && life == lives) {
                    wait();
                }
                if (life != lives) {
                    return;
                }
                running = pending.removeFirst();
                entry = running;
                notifyAll();
                while (heldBeforeStart) {
                    wait();
                }
                // As the real one: what came between is lost.
                interrupt = false;
            }
            draw(entry, life);
        }
    }

    private void draw(Entry entry, int life) throws InterruptedException {
        var messages = JSON.createArrayNode();
        tell(entry, messages, "execution_start", JSON.createObjectNode());
        tell(entry, messages, "execution_cached", JSON.createObjectNode().set("nodes", JSON.createArrayNode()));
        var outputs = JSON.createObjectNode();
        boolean whole = true;
        for (Map.Entry<String, JsonNode> node : entry.graph().properties()) {
            tell(entry, null, "executing", JSON.createObjectNode().put("node", node.getKey()));
            whole = switch (node.getValue().path("class_type").asText()) {
                case "KSampler" -> sampled(entry, node.getKey(), node.getValue(), messages, life);
                case "SaveImage", "PreviewImage" -> {
                    outputs.set(node.getKey(), saved(entry, node.getValue()));
                    yield true;
                }
                default -> true;
            };
            if (!whole) {
                break;
            }
        }
        if (whole) {
            tell(entry, messages, "execution_success", JSON.createObjectNode());
        }
        end(entry, whole ? outputs : JSON.createObjectNode(), whole, messages, life);
    }

    /** @param messages that the history keeps; null: it does not keep this one */
    private void tell(Entry entry, ArrayNode messages, String type, ObjectNode data) {
        data.put("prompt_id", entry.id());
        if (messages != null) {
            messages.addArray().add(type).add(data.deepCopy().put("timestamp", 1_764_000_000_000L));
        }
        var message = JSON.createObjectNode().put("type", type);
        message.set("data", data);
        told.message(entry.client(), message);
    }

    private boolean sampled(Entry entry, String id, JsonNode node, ArrayNode messages, int life)
            throws InterruptedException {
        int steps = node.path("inputs").path("steps").asInt();
        for (int step = 1; step <= steps; step++) {
            synchronized (this) {
                while (slow && allowed == 0 && !interrupt && failure == null && life == lives) {
                    wait();
                }
            }
            if (ended(entry, id, messages) || life != lives) {
                return false;
            }
            tell(entry, null, "progress", JSON.createObjectNode().put("value", step).put("max", steps).put("node", id));
            byte[] preview = SampleImages.jpeg(8, 8 * step);
            told.message(entry.client(),
                    ByteBuffer.allocate(8 + preview.length).putInt(1).putInt(1).put(preview).array());
            synchronized (this) {
                allowed = Math.max(0, allowed - 1);
                notifyAll();
            }
        }
        return true;
    }

    private synchronized boolean ended(Entry entry, String node, ArrayNode messages) {
        if (interrupt) {
            interrupt = false;
            tell(entry, messages, "execution_interrupted",
                    JSON.createObjectNode().put("node_id", node).put("node_type", "KSampler"));
            return true;
        }
        if (failure != null) {
            tell(entry, messages, "execution_error",
                    JSON.createObjectNode().put("node_id", node).put("node_type", "KSampler")
                            .put("exception_type", failure.type()).put("exception_message", failure.message()));
            failure = null;
            return true;
        }
        return false;
    }

    /** As many pictures as the latents of the graph are, and of their size. */
    private ObjectNode saved(Entry entry, JsonNode node) {
        var output = JSON.createObjectNode();
        var images = output.putArray("images");
        boolean keeps = node.path("class_type").asText().equals("SaveImage");
        var prefix = node.path("inputs").path("filename_prefix").asText("ComfyUI_temp");
        var folder = prefix.contains("/") ? prefix.substring(0, prefix.lastIndexOf('/')) : "";
        var size = size(entry.graph());
        for (int i = 1; i <= size.path("batch_size").asInt(1); i++) {
            var name = prefix.substring(prefix.lastIndexOf('/') + 1) + "_0000" + i + "_.png";
            var type = keeps ? "output" : "temp";
            synchronized (this) {
                files.put(type + "/" + folder + "/" + name,
                        SampleImages.png(size.path("width").asInt(512), size.path("height").asInt(512)));
            }
            images.addObject().put("filename", name).put("subfolder", folder).put("type", type);
        }
        return output;
    }

    private static JsonNode size(JsonNode graph) {
        for (JsonNode node : graph) {
            if (node.path("inputs").has("width")) {
                return node.path("inputs");
            }
        }
        return JSON.createObjectNode();
    }

    private synchronized void end(Entry entry, ObjectNode outputs, boolean whole, ArrayNode messages, int life) {
        if (life != lives) {
            return;
        }
        running = null;
        drawn.add(entry.id());
        var ended = JSON.createObjectNode();
        ended.putArray("prompt").add(entry.number()).add(entry.id()).add(entry.graph());
        ended.set("outputs", outputs);
        ended.putObject("status").put("status_str", whole ? "success" : "error").put("completed", whole).set("messages",
                messages);
        history.put(entry.id(), ended);
        tell(entry, null, "executing", JSON.createObjectNode().putNull("node"));
        notifyAll();
    }

    // What tests make it do, and see of it.

    synchronized void slow(boolean slow) {
        this.slow = slow;
        notifyAll();
    }

    synchronized void allow(int steps) throws InterruptedException {
        allowed += steps;
        notifyAll();
        while (allowed > 0) {
            wait();
        }
    }

    synchronized void holdBeforeStart(boolean held) {
        heldBeforeStart = held;
        notifyAll();
    }

    synchronized void fail(Failure failure) {
        this.failure = failure;
        notifyAll();
    }

    /** Waits until something holds of it. */
    synchronized void await(Predicate<ComfyUiQueue> holds) throws InterruptedException {
        while (!holds.test(this)) {
            wait();
        }
    }

    /** Lets those who wait look again. */
    synchronized void look() {
        notifyAll();
    }

    synchronized Optional<String> running() {
        return Optional.ofNullable(running).map(Entry::id);
    }

    synchronized int waiting() {
        return pending.size();
    }

    synchronized int remaining() {
        return pending.size() + (running == null ? 0 : 1);
    }

    synchronized List<String> deleted() {
        return List.copyOf(deleted);
    }

    synchronized List<String> interrupted() {
        return List.copyOf(interrupted);
    }

    synchronized List<String> drawn() {
        return List.copyOf(drawn);
    }
}
