package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.webserver.http.ServerRequest;

/** Finds out who calls. */
public interface Authenticator {

    /** @throws ProblemException 401 when the request proves nobody */
    Caller caller(ServerRequest request);

    /**
     * The caller as one who may operate the whole queue.
     *
     * @throws ProblemException 401 when the request proves nobody, 403 when it proves somebody who may not
     */
    Caller operator(ServerRequest request);
}
