package dev.imagen.api;

import dev.imagen.auth.Tickets;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /tickets}: what a browser's EventSource opens a stream with. */
final class TicketsService implements HttpService {

    private final Tickets tickets;
    private final Authenticator authenticator;

    TicketsService(Tickets tickets, Authenticator authenticator) {
        this.tickets = tickets;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/", this::issue);
    }

    private void issue(ServerRequest request, ServerResponse response) {
        var issued = tickets.issue(authenticator.caller(request));
        Json.send(response, Status.CREATED_201,
                Json.object().put("ticket", issued.ticket()).put("expires_at", issued.expiresAt().toString()));
    }
}
