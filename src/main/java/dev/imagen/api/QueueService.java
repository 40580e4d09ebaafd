package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.queue.QueueDepths;
import dev.imagen.queue.QueueDepths.Depth;
import dev.imagen.queue.QueueFailures;
import dev.imagen.queue.QueueHistory;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /queue}: how the whole queue is, for operators. */
final class QueueService implements HttpService {

    private static final int DAY = 24 * 60;
    private static final int HOUR = 60;

    private final QueueDepths depths;
    private final QueueHistory history;
    private final QueueFailures failures;
    private final Authenticator authenticator;

    QueueService(QueueDepths depths, QueueHistory history, QueueFailures failures, Authenticator authenticator) {
        this.depths = depths;
        this.history = history;
        this.failures = failures;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::now).get("/history", this::history).get("/failures", this::failures);
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

    private void history(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        var query = new QueryParameters(request, "minutes", "backend");
        int minutes = minutes(query);
        var series = history.series(operator, minutes, query.text("backend"));
        var answer = Json.object().put("minutes", minutes).put("bucket_seconds", series.step().toSeconds());
        var list = answer.putArray("buckets");
        series.buckets().forEach(bucket -> list.addObject().put("at", bucket.at().toString()).put("done", bucket.done())
                .put("failed", bucket.failed()).put("cancelled", bucket.cancelled()).put("rescued", bucket.rescued())
                .put("pending", bucket.pending().orElse(null)).put("running", bucket.running().orElse(null))
                .put("oldest_seconds", bucket.oldestSeconds().orElse(null)));
        Json.send(response, Status.OK_200, answer);
    }

    private void failures(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        int minutes = minutes(new QueryParameters(request, "minutes"));
        var answer = Json.object().put("minutes", minutes);
        var list = answer.putArray("failures");
        failures.list(operator, minutes)
                .forEach(failure -> list.addObject().put("backend", failure.backend()).put("reason", failure.reason())
                        .put("count", failure.count()).put("last_at", failure.lastAt().toString())
                        .put("job_id", failure.job().toString()));
        Json.send(response, Status.OK_200, answer);
    }

    private static int minutes(QueryParameters query) {
        return query.whole("minutes", DAY).orElse(HOUR);
    }
}
