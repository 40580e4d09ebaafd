package dev.imagen.backend.openai;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.util.Set;

/** What the errors of these servers mean. */
final class Failures {

    /** How a refusal of what the prompt asks for, or of the picture that came of it, is told. */
    private static final Set<String> MODERATION = Set.of("moderation_blocked", "content_policy_violation");

    /** Told with the status of what may be gone in a moment, but somebody has to pay first. */
    private static final String NO_MONEY = "insufficient_quota";

    /** Types of errors that are the request's own; of an event there is no status to tell it by. */
    private static final Set<String> REQUESTS_OWN = Set.of("invalid_request_error", "image_generation_user_error");

    private final RemoteServer server;

    Failures(RemoteServer server) {
        this.server = server;
    }

    /** Of an answer that is an error. */
    JobFailedException of(Answer answer) {
        var code = answer.json().path("error").path("code").asText("");
        return forGood(code) ? server.refused(answer, said(answer, code)) : server.failure(answer, said(answer, code));
    }

    /** Of an event that is an error. @param stream the answer that it came in, without a body */
    JobFailedException of(JsonNode event, Answer stream) {
        var error = event.path("error").isObject() ? event.path("error") : event;
        var code = error.path("code").asText("");
        var told = said(new Answer(stream.status(), stream.headers(), event.toString().getBytes(UTF_8), false), code);
        return forGood(code) || REQUESTS_OWN.contains(error.path("type").asText(""))
                ? server.refused(stream, told)
                : server.temporary("the server stopped: " + told);
    }

    private static boolean forGood(String code) {
        return MODERATION.contains(code) || code.equals(NO_MONEY);
    }

    private static String said(Answer answer, String code) {
        return (MODERATION.contains(code) ? "the provider's moderation refused it: " : "") + answer.said()
                + (code.isEmpty() ? "" : " [" + code + "]");
    }
}
