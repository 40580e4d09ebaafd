package dev.imagen.backend.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;

/**
 * What a request sends.
 *
 * @param type the media type
 */
public record Content(String type, BodyPublisher body) {

    /** As {@code application/json}. */
    public static Content json(JsonNode json) {
        return new Content("application/json", BodyPublishers.ofString(json.toString()));
    }
}
