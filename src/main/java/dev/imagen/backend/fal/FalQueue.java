package dev.imagen.backend.fal;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.StringJoiner;

/** fal's queue of requests. */
final class FalQueue {

    /** Of an answer without a result. */
    private static final int MOST = 1024 * 1024;

    private final RemoteServer server;
    private final RemoteServer questions;
    private final URI base;
    private final Map<String, String> headers;

    /**
     * @param questions the same server, whose calls are short
     * @param longest of a request, which fal is told too: it does not begin later what a process that died has asked
     *     for
     */
    FalQueue(RemoteServer server, RemoteServer questions, URI base, Duration longest) {
        this.server = server;
        this.questions = questions;
        this.base = base;
        this.headers = Map.of("X-Fal-Request-Timeout", String.valueOf(Math.max(2, longest.toSeconds())));
    }

    Answer submit(ImageRequest request) throws JobFailedException, InterruptedException {
        return server.post(ModelFamily.path(request), ModelFamily.of(request.model()).input(request), headers, MOST);
    }

    /** @throws JobFailedException what an answer that is none to {@link #submit} means */
    Ticket ticket(Answer answer) throws JobFailedException {
        if (!answer.ok()) {
            throw failure(answer);
        }
        var ticket = Ticket.of(answer, base);
        if (ticket.isEmpty()) {
            throw answer.json().isMissingNode()
                    ? server.temporary("there is no JSON in the answer")
                    : server.permanent("there is no request in the answer, or its addresses are not those of a queue");
        }
        return ticket.get();
    }

    /** @param completed whether there is a response @param logs what the model printed */
    record Status(boolean completed, String logs) {}

    /** @throws JobFailedException temporary also where the queue knows it no longer */
    Status status(Ticket ticket) throws JobFailedException, InterruptedException {
        var answer = questions.get(ticket.status() + "?logs=1", 8 * MOST);
        if (answer.status() == 404) {
            throw questions.temporary("the request " + ticket.id() + " has disappeared: " + answer.said());
        }
        if (!answer.ok()) {
            throw failure(answer);
        }
        var json = answer.json();
        return switch (json.path("status").asText("")) {
            case "IN_QUEUE" -> new Status(false, "");
            case "IN_PROGRESS" -> new Status(false, logs(json));
            case "COMPLETED" -> new Status(true, "");
            default -> throw questions.temporary("there is no status of the request " + ticket.id() + " in the answer");
        };
    }

    private static String logs(JsonNode json) {
        var logs = new StringJoiner("\n");
        json.path("logs").forEach(log -> logs.add(log.path("message").asText("")));
        return logs.toString();
    }

    /**
     * What came of a completed request, which may be an error of the model.
     *
     * @throws JobFailedException where it was not told, which may be otherwise the next time
     */
    Answer response(Ticket ticket, long most) throws JobFailedException, InterruptedException {
        var answer = server.get(ticket.response(), most);
        if (!answer.ok() && !answer.json().has("detail")) {
            throw failure(answer);
        }
        return answer;
    }

    /** Ends what began with this answer, if anything did. */
    void cancel(Answer submitted) throws JobFailedException, InterruptedException {
        var ticket = Ticket.of(submitted, base);
        if (submitted.ok() && ticket.isPresent()) {
            cancel(ticket.get());
        }
    }

    void cancel(Ticket ticket) throws JobFailedException, InterruptedException {
        var answer = questions.call("PUT", ticket.cancel(), MOST);
        var status = answer.json().path("status").asText("");
        if (!answer.ok() && !status.equals("ALREADY_COMPLETED") && !status.equals("NOT_FOUND")) {
            throw questions.failure(answer);
        }
    }

    /** What an error means, of the queue or of the model. */
    JobFailedException failure(Answer answer) {
        var json = answer.json();
        var type = json.path("error_type").asText("");
        var said = answer.said() + (type.isEmpty() ? "" : " [" + type + "]");
        for (JsonNode detail : json.path("detail")) {
            if (detail.path("type").asText().equals("content_policy_violation")) {
                return server.refused(answer, "the provider's moderation refused it: " + said);
            }
        }
        return type.equals("client_cancelled")
                ? server.temporary("somebody cancelled the request: " + said)
                : server.failure(answer, said);
    }
}
