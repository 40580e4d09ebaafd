package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.util.Optional;
import java.util.UUID;

/** Whose jobs and images a request is about: the caller's own, or for the service the owner that it names. */
final class Owners {

    static final String NAME = "owner_user_id";

    private Owners() {}

    /** By the query of a list or stream. */
    static UUID asked(ServerRequest request, Caller caller) {
        var text = request.query().contains(NAME) ? request.query().get(NAME) : "";
        var named = text.isEmpty()
                ? Optional.<UUID>empty()
                : Optional.of(Ids.parse(text).orElseThrow(() -> Problem.invalid(NAME, "must be a uuid")));
        return of(caller, named);
    }

    /** @param named by the request, if it names one */
    static UUID of(Caller caller, Optional<UUID> named) {
        if (caller.owner().isEmpty()) {
            return named.orElseThrow(
                    () -> Problem.invalid(NAME, "is missing: with the role service_role say whose jobs are meant"));
        }
        var own = caller.owner().get();
        if (named.isPresent() && !named.get().equals(own)) {
            throw Problem.exception(Status.FORBIDDEN_403, NAME + " must be your own: leave it out");
        }
        return own;
    }
}
