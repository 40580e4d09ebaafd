package dev.imagen.api;

import dev.imagen.queue.QueueControl;
import dev.imagen.queue.QueueControl.Pause;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Optional;

/** {@code /pause} and {@code /resume}: whether jobs are claimed, for operators. */
final class PauseService implements HttpService {

    private final QueueControl control;
    private final Authenticator authenticator;

    PauseService(QueueControl control, Authenticator authenticator) {
        this.control = control;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/pause", this::paused).post("/pause", this::pause).post("/resume", this::resume);
    }

    private void paused(ServerRequest request, ServerResponse response) {
        send(response, control.paused(authenticator.operator(request)));
    }

    private void pause(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        send(response, control.pause(operator, backend(request)));
    }

    private void resume(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        send(response, control.resume(operator, backend(request)));
    }

    private static Optional<String> backend(ServerRequest request) {
        var fields = new Fields(Json.body(request));
        var backend = fields.text("backend", 1, 200);
        fields.check();
        return backend;
    }

    private static void send(ServerResponse response, List<Pause> pauses) {
        var answer = Json.object();
        var list = answer.putArray("paused");
        pauses.forEach(pause -> list.addObject().put("backend", pause.backend().orElse(null)).put("paused_at",
                pause.since().toString()));
        Json.send(response, Status.OK_200, answer);
    }
}
