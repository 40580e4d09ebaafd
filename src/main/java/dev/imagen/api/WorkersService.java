package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.imagen.queue.Workers;
import dev.imagen.queue.Workers.Running;
import dev.imagen.queue.Workers.Worker;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /workers}: which processes work, and on what, for operators. */
final class WorkersService implements HttpService {

    private final Workers workers;
    private final Authenticator authenticator;

    WorkersService(Workers workers, Authenticator authenticator) {
        this.workers = workers;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::list);
    }

    private void list(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        var answer = Json.object();
        var list = answer.putArray("workers");
        workers.list(operator).forEach(worker -> add(worker, list));
        Json.send(response, Status.OK_200, answer);
    }

    private static void add(Worker worker, ArrayNode list) {
        var node = list.addObject().put("id", worker.id().toString()).put("name", worker.name());
        worker.backends().forEach(node.putArray("backends")::add);
        node.put("started_at", worker.startedAt().toString()).put("heartbeat_at", worker.heartbeatAt().toString())
                .put("alive", worker.alive());
        var running = node.putArray("running");
        worker.running().forEach(job -> add(job, running));
    }

    private static void add(Running job, ArrayNode list) {
        list.addObject().put("job_id", job.jobId().toString()).put("attempt", job.attempt())
                .put("backend", job.backend()).put("model", job.model().orElse(null))
                .put("owner_user_id", job.owner().toString()).put("started_at", job.startedAt().toString())
                .put("step", job.step().orElse(null)).put("steps", job.steps().orElse(null));
    }
}
