package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.webserver.http.ServerRequest;

/** Finds out who calls. */
@FunctionalInterface
public interface Authenticator {

    /** @throws ProblemException 401 when the request proves nobody */
    Caller caller(ServerRequest request);
}
