package dev.imagen.backend.gemini;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What the API's errors mean, and its answers without a picture. */
final class Refusals {

    /** Reasons to stop that another attempt would meet again. */
    private static final Set<String> CONTENT = Set.of("SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT",
            "IMAGE_PROHIBITED_CONTENT", "RECITATION", "IMAGE_RECITATION", "BLOCKLIST", "SPII");

    private Refusals() {}

    /** Of an error. */
    static JobFailedException of(RemoteServer server, Answer answer) {
        var error = answer.json().path("error");
        var status = error.path("status").asText("");
        var said = answer.said() + (status.isEmpty() ? "" : " [" + status + "]");
        if (details(error, "ErrorInfo").anyMatch(info -> info.path("reason").asText().equals("API_KEY_INVALID"))) {
            return server.refused(answer, said + "; check backends.gemini.key (BACKENDS_GEMINI_KEY)");
        }
        if (answer.said().matches("(?s).*\\blimit: 0\\b.*")) {
            return server.refused(answer, "the plan of the key has no such model: " + said);
        }
        return server.failure(answer, said, wait(error));
    }

    private static Optional<Duration> wait(JsonNode error) {
        return details(error, "RetryInfo").map(info -> info.path("retryDelay").asText())
                .filter(delay -> delay.matches("\\d{1,9}(\\.\\d{1,9})?s")).findFirst()
                .map(delay -> Duration.parse("PT" + delay));
    }

    private static Stream<JsonNode> details(JsonNode error, String type) {
        return StreamSupport.stream(error.path("details").spliterator(), false)
                .filter(detail -> detail.path("@type").asText().endsWith("google.rpc." + type));
    }

    /** Of an answer without a picture: the model's own words and whims may be others the next time. */
    static JobFailedException of(RemoteServer server, Content content) {
        if (!content.blockReason().isEmpty()) {
            return server.permanent("the provider's moderation refused the prompt: " + content.blockReason());
        }
        var reason = content.finishReason();
        var said = Stream.of(content.finishMessage(), content.words()).filter(text -> !text.isEmpty()).findFirst()
                .map(text -> ": " + text).orElse("");
        return CONTENT.contains(reason)
                ? server.permanent("the provider's moderation refused the picture: " + reason + said)
                : server.temporary(
                        "the model made no picture (" + (reason.isEmpty() ? "no reason" : reason) + ")" + said);
    }
}
