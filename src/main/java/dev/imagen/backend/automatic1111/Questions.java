package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.image.Preview;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.Optional;

/**
 * What a server is asked while it draws. It draws one picture at a time, and its state is that of whichever that is;
 * whose it is, only a task's own progress tells. No answer is no failure.
 */
final class Questions {

    /** What to have seen last where nothing was. */
    static final int NONE_SHOWN = -1;

    /** Of an answer without a preview, and with one. */
    private static final int MOST = 256 * 1024;
    private static final int MOST_WITH_PREVIEW = MOST + Preview.MOST_SENT / 3 * 4;

    private static final String STATE = "/sdapi/v1/progress?skip_current_image=true";

    private final RemoteServer server;
    private final Duration between;

    /**
     * @param server whose calls are short
     * @param between two questions about the same picture
     */
    Questions(RemoteServer server, Duration between) {
        this.server = server;
        this.between = between;
    }

    /** How long to wait before the next question about the same picture. */
    Duration between() {
        return between;
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
     * How the picture looks that the server draws.
     *
     * @param id the server's, of this state of it
     * @param picture encoded, as the server was set up to
     */
    record Shown(int id, byte[] picture) {}

    /**
     * @param progress 0 to 1
     * @param secondsLeft as the server guesses; 0 where it does not
     * @param shown where it was asked for, and there is another one than the last
     */
    record Task(Standing standing, double progress, double secondsLeft, Optional<Shown> shown) {}

    /** How a task fares. */
    Task task(String id) throws InterruptedException {
        return task(id, NONE_SHOWN, false);
    }

    /** The same with what can be seen of it; the server has to make that. @param last the id that was seen last */
    Task taskWithPreview(String id, int last) throws InterruptedException {
        return task(id, last, true);
    }

    private Task task(String id, int last, boolean preview) throws InterruptedException {
        var body = JsonNodeFactory.instance.objectNode().put("id_task", id).put("id_live_preview", last)
                .put("live_preview", preview);
        var json = ask(() -> server.post("/internal/progress", body, preview ? MOST_WITH_PREVIEW : MOST));
        return new Task(standing(json), json.path("progress").asDouble(0), json.path("eta").asDouble(0), shown(json));
    }

    private static Optional<Shown> shown(JsonNode json) {
        byte[] picture = Drawn.decoded(json.path("live_preview").asText(""));
        return picture.length == 0
                ? Optional.empty()
                : Optional.of(new Shown(json.path("id_live_preview").asInt(NONE_SHOWN), picture));
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
        return ask(() -> server.get(STATE, MOST)).path("state");
    }

    /** How many pictures it draws; 0 where it tells none. @throws JobFailedException where it does not answer */
    int drawn() throws JobFailedException, InterruptedException {
        var answer = server.get(STATE, MOST);
        return answer.ok() ? answer.json().path("state").path("job_count").asInt(0) : 0;
    }

    /** Ends what the server draws now, whoever it draws for. */
    void interrupt() throws InterruptedException {
        ask(() -> server.post("/sdapi/v1/interrupt", JsonNodeFactory.instance.objectNode(), MOST));
    }

    private static JsonNode ask(PictureCall.Post question) throws InterruptedException {
        try {
            var answer = question.send();
            return answer.ok() ? answer.json() : MissingNode.getInstance();
        } catch (JobFailedException e) {
            return MissingNode.getInstance();
        }
    }
}
