package dev.imagen.api;

import dev.imagen.config.AuthSettings;
import dev.imagen.database.Caller;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.time.Instant;
import java.util.Optional;

/** Finds out who calls. */
public interface Authenticator {

    /** @throws ProblemException 401 when the request proves nobody */
    Caller caller(ServerRequest request);

    /**
     * What is known of who calls.
     *
     * @param mode of the service
     * @param operates whether they may operate the whole queue
     * @param until when what they showed ends, if it does
     */
    record Identity(Caller caller, AuthSettings.Mode mode, boolean operates, Optional<Instant> until) {}

    /** @throws ProblemException 401 when the request proves nobody */
    Identity identity(ServerRequest request);

    /**
     * The caller of an event stream, who may show a ticket instead.
     *
     * @throws ProblemException 401 when the request proves nobody
     */
    default Caller watcher(ServerRequest request) {
        return caller(request);
    }

    /**
     * The caller as one who may operate the whole queue.
     *
     * @throws ProblemException 401 when the request proves nobody, 403 when it proves somebody who may not
     */
    default Caller operator(ServerRequest request) {
        var caller = caller(request);
        if (!caller.operates()) {
            throw Problem.exception(Status.FORBIDDEN_403, "this is for the operator: it takes the role service_role");
        }
        return caller;
    }
}
