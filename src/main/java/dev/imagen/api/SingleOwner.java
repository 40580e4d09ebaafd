package dev.imagen.api;

import dev.imagen.config.AuthSettings;
import dev.imagen.database.Caller;
import io.helidon.webserver.http.ServerRequest;
import java.util.Optional;
import java.util.UUID;

/** Auth mode {@code none}: every caller is the configured owner. The address that the server binds to is the guard. */
public final class SingleOwner implements Authenticator {

    private final Caller caller;

    /** @param owner {@code auth.owner} */
    public SingleOwner(UUID owner) {
        this.caller = Caller.owner(owner);
    }

    @Override
    public Caller caller(ServerRequest request) {
        return caller;
    }

    @Override
    public Identity identity(ServerRequest request) {
        return new Identity(caller, AuthSettings.Mode.NONE, true, Optional.empty());
    }

    @Override
    public Caller operator(ServerRequest request) {
        return Caller.service();
    }
}
