package dev.imagen.api;

import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Locale;

/** {@code /me}: who the caller is to the service. */
final class MeService implements HttpService {

    private final Authenticator authenticator;

    MeService(Authenticator authenticator) {
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::me);
    }

    private void me(ServerRequest request, ServerResponse response) {
        var identity = authenticator.identity(request);
        Json.send(response, Status.OK_200, Json.object().put("owner_user_id", JobJson.text(identity.caller().owner()))
                .put("operator", identity.operates()).put("auth", identity.mode().name().toLowerCase(Locale.ROOT))
                .put("expires_at", JobJson.time(identity.until())));
    }
}
