package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Problem details (RFC 9457): what went wrong and what to change.
 *
 * @param detail for a person
 * @param errors for fields; may be empty
 * @param headers that the answer has besides
 */
record Problem(Status status, String detail, List<FieldError> errors, Map<HeaderName, String> headers) {

    static final String MEDIA_TYPE = "application/problem+json";
    static final Status UNPROCESSABLE = Status.create(422, "Unprocessable Content");

    Problem(Status status, String detail, List<FieldError> errors) {
        this(status, detail, errors, Map.of());
    }

    /**
     * @param field the JSON name
     * @param detail what the field must be
     */
    record FieldError(String field, String detail) {}

    static ProblemException exception(Status status, String detail) {
        return new ProblemException(new Problem(status, detail, List.of()));
    }

    /**
     * The request proves nobody.
     *
     * @param error RFC 6750's word for it; empty where nothing was shown
     */
    static ProblemException unauthenticated(String detail, Optional<String> error) {
        var challenge = "Bearer realm=\"imagen\""
                + error.map(word -> ", error=\"" + word + "\", error_description=\"" + detail.replace('"', '\'') + "\"")
                        .orElse("");
        return new ProblemException(new Problem(Status.UNAUTHORIZED_401, detail, List.of(),
                Map.of(HeaderNames.WWW_AUTHENTICATE, challenge)));
    }

    static ProblemException invalid(List<FieldError> errors) {
        var detail = errors.size() == 1
                ? errors.getFirst().field() + " " + errors.getFirst().detail()
                : errors.size() + " fields must be changed, see errors";
        return new ProblemException(new Problem(UNPROCESSABLE, detail, errors));
    }

    static ProblemException invalid(String field, String detail) {
        return invalid(List.of(new FieldError(field, detail)));
    }

    ObjectNode json() {
        var node = Json.object().put("type", "about:blank").put("title", status.reasonPhrase())
                .put("status", status.code()).put("detail", detail);
        if (!errors.isEmpty()) {
            var list = node.putArray("errors");
            errors.forEach(error -> list.addObject().put("field", error.field()).put("detail", error.detail()));
        }
        return node;
    }
}
