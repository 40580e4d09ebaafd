package dev.imagen.api;

import dev.imagen.queue.ManyJobs;
import dev.imagen.queue.ManyJobs.Filter;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;

/** {@code /queue/cancel} and {@code /queue/retry}: moves of many jobs, for operators. */
final class ManyJobsService implements HttpService {

    private static final List<String> FILTERS = List.of("backend", Owners.NAME, "status", "since", "until");

    private final ManyJobs jobs;
    private final Authenticator authenticator;

    ManyJobsService(ManyJobs jobs, Authenticator authenticator) {
        this.jobs = jobs;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/cancel", this::cancel).post("/retry", this::retry);
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        var cancelled = jobs.cancel(operator, filter(request, List.of("pending", "running")));
        Json.send(response, Status.OK_200, Json.object().put("cancelled", cancelled.cancelled())
                .put("asked", cancelled.asked()).put("more", cancelled.more()));
    }

    private void retry(ServerRequest request, ServerResponse response) {
        var operator = authenticator.operator(request);
        var retried = jobs.retry(operator, filter(request, List.of("failed", "cancelled")));
        Json.send(response, Status.OK_200, Json.object().put("retried", retried.retried())
                .put("limited_owners", retried.limitedOwners()).put("more", retried.more()));
    }

    private static Filter filter(ServerRequest request, List<String> statuses) {
        var fields = new Fields(Json.body(request));
        var filter = new Filter(fields.text("backend", 0, 200), fields.uuid(Owners.NAME),
                fields.oneOf("status", statuses), fields.time("since"), fields.time("until"));
        boolean filtered = FILTERS.stream().anyMatch(fields::has);
        boolean all = fields.flag("all").orElse(false);
        // What was meant is not guessed: an empty body could be a filter that got lost.
        if (all == filtered) {
            fields.refuse("all",
                    all
                            ? "goes without filters: leave it out, or all of them"
                            : "must be true where no filter says which jobs: " + String.join(", ", FILTERS));
        }
        fields.check();
        return filter;
    }
}
