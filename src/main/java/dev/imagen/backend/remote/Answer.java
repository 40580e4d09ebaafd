package dev.imagen.backend.remote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.job.RetryAfter;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;

/**
 * What a server answered.
 *
 * @param body of an error its beginning
 * @param cut whether there was more of the body
 */
public record Answer(int status, HttpHeaders headers, byte[] body, boolean cut) {

    /** A server may err; a job that waits for a week is no better than one that failed. */
    private static final Duration LONGEST_WAIT = Duration.ofHours(24);

    private static final String EVENTS = "text/event-stream";

    /** A picture is one long string; how long it may be, the limit of the body says. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build()).build());

    /** Whether the server did what it was asked to. */
    public boolean ok() {
        return ok(status);
    }

    static boolean ok(int status) {
        return status / 100 == 2;
    }

    /** Whether it is a stream of events, which were told as they came: then there is nothing in the body. */
    public boolean events() {
        return events(headers);
    }

    static boolean events(HttpHeaders headers) {
        return headers.firstValue("Content-Type")
                .filter(type -> type.regionMatches(true, 0, EVENTS, 0, EVENTS.length())).isPresent();
    }

    /** The body; missing where it is no JSON. */
    public JsonNode json() {
        return json(body);
    }

    static JsonNode json(byte[] text) {
        try {
            var json = JSON.readTree(text);
            return json == null ? MissingNode.getInstance() : json;
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    /** What an error says, in the ways in which servers say it; empty: nothing that a person could read. */
    public String said() {
        var json = json();
        if (json.isMissingNode()) {
            var text = new String(body, StandardCharsets.UTF_8).strip();
            return text.startsWith("<") || text.startsWith("{") ? "" : text;
        }
        var error = json.path("error");
        return Stream.of(text(error.path("message")), text(error), fields(json.path("detail")),
                text(json.path("message")), text(json)).filter(said -> !said.isBlank()).findFirst().orElse("");
    }

    private static String text(JsonNode node) {
        return node.isTextual() ? node.textValue() : "";
    }

    /** FastAPI's list of what is wrong in a body, or a text. */
    private static String fields(JsonNode detail) {
        var fields = new StringJoiner("; ");
        for (JsonNode field : detail) {
            var at = field.path("loc");
            fields.add(at.path(at.size() - 1).asText("") + ": " + text(field.path("msg")));
        }
        return detail.isArray() ? fields.toString() : text(detail);
    }

    /** Whether the same request may succeed later; some providers say it in so many words. */
    boolean retryable() {
        return headers.firstValue("x-should-retry").or(() -> headers.firstValue("x-fal-retryable"))
                .map(Boolean::parseBoolean).orElseGet(() -> switch (status) {
                    case 408, 409, 425, 429 -> true;
                    default -> status >= 500;
                });
    }

    /** The least wait that the server asked for. */
    Optional<Duration> retryAfter() {
        return headers.firstValue("retry-after-ms").flatMap(RetryAfter::ofMillis)
                .or(() -> headers.firstValue("Retry-After").flatMap(RetryAfter::of)).map(Answer::bounded);
    }

    static Duration bounded(Duration wait) {
        return wait.compareTo(LONGEST_WAIT) < 0 ? wait : LONGEST_WAIT;
    }
}
