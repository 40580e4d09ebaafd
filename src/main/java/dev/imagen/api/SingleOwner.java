package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.webserver.http.ServerRequest;
import java.util.UUID;

/** Auth mode {@code none}: every caller is the configured owner. The address that the server binds to is the guard. */
public final class SingleOwner implements Authenticator {

    private final Caller caller;
    private final Caller operator;

    /** @param owner {@code auth.owner} */
    public SingleOwner(UUID owner) {
        this.caller = Caller.owner(owner);
        this.operator = Caller.service(owner);
    }

    @Override
    public Caller caller(ServerRequest request) {
        return caller;
    }

    @Override
    public Caller operator(ServerRequest request) {
        return operator;
    }
}
