package dev.imagen.api;

import io.helidon.http.Status;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;

/**
 * Refuses what follows a semicolon in a part of a path. Helidon routes {@code /observe;x/metrics} as
 * {@code /observe/metrics}; a proxy that closes {@code /observe} to strangers takes it for another path and lets it
 * pass. An encoded semicolon is a letter like any other to both.
 */
final class PathParameters {

    private PathParameters() {}

    /** A filter. */
    static void refuse(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        if (request.prologue().uriPath().rawPath().indexOf(';') >= 0) {
            throw Problem.exception(Status.NOT_FOUND_404,
                    "paths have no parameters here: leave out the semicolon and what follows it; see /openapi");
        }
        chain.proceed();
    }
}
