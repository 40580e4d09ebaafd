package dev.imagen.api;

import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import io.helidon.http.ServerResponseHeaders;
import java.util.List;

/** Headers that every answer has, errors too: a browser is to make as little of it as it can. */
final class AnswerHeaders {

    private static final List<Header> ALWAYS = List.of(HeaderValues.createCached("X-Content-Type-Options", "nosniff"),
            HeaderValues.createCached("Referrer-Policy", "no-referrer"),
            HeaderValues.createCached("X-Frame-Options", "DENY"),
            // For data; a route that answers a page sets its own instead.
            HeaderValues.createCached("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"));

    private AnswerHeaders() {}

    static void set(ServerResponseHeaders headers) {
        ALWAYS.forEach(headers::set);
    }
}
