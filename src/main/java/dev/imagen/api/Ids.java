package dev.imagen.api;

import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** Uuids in paths and fields; Java's own parser would take "1-1-1-1-1" for one. */
final class Ids {

    private static final Pattern UUID_TEXT = Pattern
            .compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private Ids() {}

    static Optional<UUID> parse(String text) {
        return UUID_TEXT.matcher(text).matches() ? Optional.of(UUID.fromString(text)) : Optional.empty();
    }

    /** The {@code id} in the path. */
    static UUID path(ServerRequest request) {
        var text = request.path().pathParameters().get("id");
        return parse(text).orElseThrow(
                () -> Problem.exception(Status.BAD_REQUEST_400, "\"" + text + "\" in the path is no uuid"));
    }
}
