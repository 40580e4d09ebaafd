package dev.imagen.api;

import dev.imagen.queue.OwnedJobs.Cursor;
import io.helidon.http.Status;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** A request's query; a parameter that the route does not know is refused. */
final class QueryParameters {

    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 200;
    private static final int DATE_LENGTH = "2026-01-31".length();
    private static final Pattern BROKEN = Pattern.compile("%(?![0-9a-fA-F]{2})");

    private final ServerRequest request;

    QueryParameters(ServerRequest request, String... known) {
        this.request = request;
        for (String name : request.query().names()) {
            if (!Set.of(known).contains(name)) {
                throw Problem.invalid(name, "is no known parameter; known are " + String.join(", ", List.of(known)));
            }
        }
    }

    /** A filter: what is not percent-encoded as it should be could not be decoded later. */
    static void checkEncoding(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        if (BROKEN.matcher(request.query().rawValue()).find()) {
            throw Problem.exception(Status.BAD_REQUEST_400, "the query is not percent-encoded: write %25 for %");
        }
        chain.proceed();
    }

    Optional<String> text(String name) {
        return request.query().contains(name)
                ? Optional.of(request.query().get(name)).filter(s -> !s.isEmpty())
                : Optional.empty();
    }

    int limit() {
        return whole("limit", MAX_LIMIT).orElse(DEFAULT_LIMIT);
    }

    /** A whole number from 1 to {@code max}. */
    Optional<Integer> whole(String name, int max) {
        return text(name).map(text -> {
            if (!text.matches("\\d{1,9}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > max) {
                throw Problem.invalid(name, "must be a whole number from 1 to " + max);
            }
            return Integer.parseInt(text);
        });
    }

    /** A time, or a date for its beginning in UTC. */
    Optional<Instant> time(String name) {
        return text(name).map(text -> {
            try {
                return text.length() == DATE_LENGTH
                        ? LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant()
                        : Times.parse(text);
            } catch (DateTimeException e) {
                throw Problem.invalid(name, "must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z");
            }
        });
    }

    Cursor cursor() {
        return text("cursor").map(QueryParameters::parseCursor).orElse(Cursor.START);
    }

    /** Opaque to clients. */
    static String cursorText(Cursor cursor) {
        return Base64.getUrlEncoder().withoutPadding()
                .encodeToString((cursor.createdAt().toInstant() + "_" + cursor.id()).getBytes(StandardCharsets.UTF_8));
    }

    private static Cursor parseCursor(String text) {
        try {
            var parts = new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8).split("_", -1);
            var id = Ids.parse(parts[parts.length - 1]);
            if (parts.length == 2 && id.isPresent()) {
                return Cursor.of(Times.parse(parts[0]), id.get());
            }
        } catch (IllegalArgumentException | DateTimeException e) {
            // Said below.
        }
        throw Problem.exception(Status.BAD_REQUEST_400, "cursor must be the next_cursor of an earlier answer");
    }
}
