package dev.imagen.backend.fal;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.Answer;
import java.net.URI;
import java.util.Optional;

/**
 * What the queue says about a request that it has taken. Of the addresses that it names only the paths are taken: the
 * key goes to the server of the setting and to no other, which may be a gateway to fal besides.
 *
 * @param id of the request
 * @param status path after the server's own
 * @param response path after the server's own
 * @param cancel path after the server's own
 */
record Ticket(String id, String status, String response, String cancel) {

    /** Empty: the answer tells of none. @param base of the setting */
    static Optional<Ticket> of(Answer answer, URI base) {
        var json = answer.json();
        var id = json.path("request_id").asText("");
        var status = path(json.path("status_url"), id, "/status", base);
        var response = path(json.path("response_url"), id, "", base);
        var cancel = path(json.path("cancel_url"), id, "/cancel", base);
        return id.matches("[A-Za-z0-9_-]{1,100}") && status.isPresent() && response.isPresent() && cancel.isPresent()
                ? Optional.of(new Ticket(id, status.get(), response.get(), cancel.get()))
                : Optional.empty();
    }

    private static Optional<String> path(JsonNode url, String id, String end, URI base) {
        try {
            var path = URI.create(url.asText("")).getRawPath();
            var own = base.getRawPath();
            return Optional.ofNullable(path)
                    .map(told -> told.startsWith(own + "/") ? told.substring(own.length()) : told)
                    .filter(told -> told.matches("(/[A-Za-z0-9_-][A-Za-z0-9._-]*){4,}")
                            && told.endsWith("/requests/" + id + end));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
