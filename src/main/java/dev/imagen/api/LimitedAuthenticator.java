package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.webserver.http.ServerRequest;
import java.util.Optional;
import java.util.UUID;

/** Counts the requests of each owner. The service is not limited. */
final class LimitedAuthenticator implements Authenticator {

    private final Authenticator authenticator;
    private final RateLimit limit;

    private LimitedAuthenticator(Authenticator authenticator, RateLimit limit) {
        this.authenticator = authenticator;
        this.limit = limit;
    }

    static Authenticator of(Authenticator authenticator, Optional<RateLimit> limit) {
        return limit.<Authenticator>map(some -> new LimitedAuthenticator(authenticator, some)).orElse(authenticator);
    }

    @Override
    public Caller caller(ServerRequest request) {
        return counted(authenticator.caller(request));
    }

    @Override
    public Identity identity(ServerRequest request) {
        var identity = authenticator.identity(request);
        counted(identity.caller());
        return identity;
    }

    @Override
    public Caller watcher(ServerRequest request) {
        return counted(authenticator.watcher(request));
    }

    @Override
    public Caller operator(ServerRequest request) {
        return counted(authenticator.operator(request));
    }

    private Caller counted(Caller caller) {
        caller.owner().ifPresent((UUID owner) -> limit.take(owner));
        return caller;
    }
}
