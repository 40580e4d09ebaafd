package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;

/**
 * What a server is asked while it draws. It draws one picture at a time, and its state is that of whichever that is;
 * whose it is, only a task's own progress tells. No answer is no failure.
 */
final class Questions {

    /** Of an answer without a preview. */
    private static final int MOST = 256 * 1024;

    private final RemoteServer server;

    /** @param server whose calls are short */
    Questions(RemoteServer server) {
        this.server = server;
    }

    /** Where a task is. */
    enum Standing {
        /** It is what the server draws now. */
        RUNNING,
        /** Others are before it. */
        QUEUED,
        /** It has ended. */
        COMPLETED,
        /** The server has never heard of it, keeps no account of tasks, or does not answer. */
        UNKNOWN
    }

    /**
     * @param progress 0 to 1
     * @param secondsLeft as the server guesses; 0 where it does not
     */
    record Task(Standing standing, double progress, double secondsLeft) {}

    /** How a task fares. */
    Task task(String id) throws InterruptedException {
        var json = ask("POST", "/internal/progress", JsonNodeFactory.instance.objectNode().put("id_task", id)
                .put("id_live_preview", -1).put("live_preview", false));
        return new Task(standing(json), json.path("progress").asDouble(0), json.path("eta").asDouble(0));
    }

    private static Standing standing(JsonNode json) {
        if (json.path("active").asBoolean()) {
            return Standing.RUNNING;
        }
        if (json.path("queued").asBoolean()) {
            return Standing.QUEUED;
        }
        return json.path("completed").asBoolean() ? Standing.COMPLETED : Standing.UNKNOWN;
    }

    /** The state of the server, whoever it draws for; missing where it tells none. */
    JsonNode state() throws InterruptedException {
        return ask("GET", "/sdapi/v1/progress?skip_current_image=true", MissingNode.getInstance()).path("state");
    }

    /** Ends what the server draws now, whoever it draws for. */
    void interrupt() throws InterruptedException {
        ask("POST", "/sdapi/v1/interrupt", JsonNodeFactory.instance.objectNode());
    }

    private JsonNode ask(String method, String path, JsonNode body) throws InterruptedException {
        try {
            var answer = method.equals("GET") ? server.get(path, MOST) : server.post(path, body, MOST);
            return answer.ok() ? answer.json() : MissingNode.getInstance();
        } catch (JobFailedException e) {
            return MissingNode.getInstance();
        }
    }
}
