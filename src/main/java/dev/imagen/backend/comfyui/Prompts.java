package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.net.http.WebSocket;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What a server does with prompts, as it calls a graph that is to be drawn. */
final class Prompts {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Of answers that name what is wrong with each node. */
    private static final int MOST_BYTES = 1024 * 1024;

    /** Of what the server tells of a prompt or of all that wait, which repeats their graphs. */
    private static final int MOST_GRAPHS = 32 * 1024 * 1024;

    private final RemoteServer server;
    private final RemoteServer questions;

    /**
     * @param server whose calls may take as long as a picture
     * @param questions the same server, whose calls are short
     */
    Prompts(RemoteServer server, RemoteServer questions) {
        this.server = server;
        this.questions = questions;
    }

    /** Where a prompt is. */
    enum Standing {
        /** Others are before it. */
        PENDING,
        /** It is what the server draws now. */
        RUNNING,
        /** It has ended, or the server has never heard of it. */
        ABSENT
    }

    /** @param id of the prompt, and of the socket that hears of it */
    Answer post(ObjectNode graph, String id) throws JobFailedException, InterruptedException {
        var body = JSON.createObjectNode().put("prompt_id", id).put("client_id", id);
        body.set("prompt", graph);
        // Newer servers make previews then, whatever they were started with.
        body.putObject("extra_data").put("preview_method", "auto");
        return server.post("/prompt", body, MOST_BYTES);
    }

    /** Hears of a prompt. */
    CompletableFuture<WebSocket> socket(String id, WebSocket.Listener listener) {
        return questions.webSocket("/ws?clientId=" + id, listener);
    }

    /** What became of a prompt; empty: it has not ended, or the server does not know it. */
    Optional<JsonNode> ended(String id) throws JobFailedException, InterruptedException {
        var entry = good(questions.get("/history/" + id, MOST_GRAPHS)).path(id);
        return entry.isObject() ? Optional.of(entry) : Optional.empty();
    }

    Standing standing(String id) throws JobFailedException, InterruptedException {
        var queue = good(questions.get("/queue", MOST_GRAPHS));
        if (holds(queue.path("queue_running"), id)) {
            return Standing.RUNNING;
        }
        return holds(queue.path("queue_pending"), id) ? Standing.PENDING : Standing.ABSENT;
    }

    private static boolean holds(JsonNode entries, String id) {
        for (JsonNode entry : entries) {
            if (entry.path(1).asText().equals(id)) {
                return true;
            }
        }
        return false;
    }

    /** Takes a prompt out of the queue, unless it is drawn already. */
    void delete(String id) throws JobFailedException, InterruptedException {
        var body = JSON.createObjectNode();
        body.putArray("delete").add(id);
        ask("/queue", body);
    }

    /** Ends a prompt that is drawn. Older servers end whatever they draw. */
    void interrupt(String id) throws JobFailedException, InterruptedException {
        ask("/interrupt", JSON.createObjectNode().put("prompt_id", id));
    }

    private void ask(String path, ObjectNode body) throws JobFailedException, InterruptedException {
        var answer = questions.post(path, body, MOST_BYTES);
        if (!answer.ok()) {
            throw questions.failure(answer);
        }
    }

    private JsonNode good(Answer answer) throws JobFailedException {
        if (!answer.ok()) {
            throw questions.failure(answer);
        }
        var json = answer.json();
        if (!json.isObject()) {
            throw questions.temporary("there is no JSON in the answer of the server");
        }
        return json;
    }
}
