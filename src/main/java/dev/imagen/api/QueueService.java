package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.queue.QueueDepths;
import dev.imagen.queue.QueueDepths.Depth;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /queue}: how the whole queue is, for operators. */
final class QueueService implements HttpService {

    private final QueueDepths depths;
    private final Authenticator authenticator;

    QueueService(QueueDepths depths, Authenticator authenticator) {
        this.depths = depths;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::now);
    }

    private void now(ServerRequest request, ServerResponse response) {
        var now = depths.now(authenticator.operator(request));
        var answer = Json.object();
        var list = answer.putArray("backends");
        now.backends()
                .forEach(depth -> list.add(add(depth, Json.object().put("backend", depth.backend().orElse(null)))));
        add(now.total(), answer.putObject("total"));
        Json.send(response, Status.OK_200, answer);
    }

    private static ObjectNode add(Depth depth, ObjectNode node) {
        return node.put("pending", depth.pending()).put("scheduled", depth.scheduled()).put("running", depth.running())
                .put("oldest_seconds", depth.oldestSeconds().orElse(null)).put("paused", depth.paused());
    }
}
