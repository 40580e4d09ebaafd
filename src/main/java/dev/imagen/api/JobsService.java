package dev.imagen.api;

import dev.imagen.database.Caller;
import dev.imagen.event.JobEvents;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.queue.OwnedJobs;
import dev.imagen.queue.OwnedJobs.Cursor;
import dev.imagen.queue.OwnedJobs.Submitted;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/** {@code /jobs}: submit, look up, list, cancel, retry. */
final class JobsService implements HttpService {

    private static final HeaderName IDEMPOTENCY_KEY = HeaderNames.create("Idempotency-Key");

    private final OwnedJobs jobs;
    private final NewJobReader reader;
    private final JobEvents events;
    private final Authenticator authenticator;

    JobsService(OwnedJobs jobs, NewJobReader reader, JobEvents events, Authenticator authenticator) {
        this.jobs = jobs;
        this.reader = reader;
        this.events = events;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.post("/", this::submit).get("/", this::list).get("/{id}", this::find).post("/{id}/cancel", this::cancel)
                .post("/{id}/retry", this::retry);
    }

    private void submit(ServerRequest request, ServerResponse response) {
        var caller = authenticator.caller(request);
        var key = request.headers().first(IDEMPOTENCY_KEY).map(String::strip);
        var wait = Preference.wait(request);
        var submission = reader.read(Json.body(request), caller, key);
        switch (jobs.submit(caller, submission)) {
            case Submitted.Created(var job) -> answer(caller, response, Status.CREATED_201, job, wait);
            case Submitted.Repeated(var job) -> answer(caller, response, Status.OK_200, job, wait);
            case Submitted.KeyReused() -> throw Problem.invalid("Idempotency-Key",
                    "was used before with another body: use a new key for another job");
            case Submitted.IdTaken() -> throw Problem.exception(Status.CONFLICT_409,
                    "a job with this id exists: choose another id, or leave it out");
        }
    }

    private void answer(Caller caller, ServerResponse response, Status status, Job job, Optional<Duration> wait) {
        var shown = job;
        if (wait.isPresent()) {
            shown = new FinishedJob(events, id -> jobs.find(caller, id).map(OwnedJobs.Found::job)).await(job,
                    wait.get());
            response.headers().set(Preference.APPLIED, "wait=" + wait.get().toSeconds());
        }
        response.headers().set(HeaderNames.LOCATION, "/jobs/" + job.id());
        Json.send(response, status, JobJson.of(shown));
    }

    private void list(ServerRequest request, ServerResponse response) {
        var caller = authenticator.caller(request);
        var query = new QueryParameters(request, "status", "limit", "cursor", Owners.NAME);
        var status = query.text("status").map(text -> JobStatus.of(text).orElseThrow(
                () -> Problem.invalid("status", "must be one of pending, running, done, failed, cancelled")));
        int limit = query.limit();
        var found = jobs.list(caller, Owners.asked(request, caller), status, query.cursor(), limit + 1);
        var page = Json.object();
        var list = page.putArray("jobs");
        found.stream().limit(limit).forEach(job -> list.add(JobJson.of(job)));
        page.put("next_cursor", found.size() > limit ? cursor(found.get(limit - 1)) : null);
        Json.send(response, Status.OK_200, page);
    }

    private static String cursor(Job last) {
        return QueryParameters.cursorText(Cursor.of(last.createdAt(), last.id()));
    }

    private void find(ServerRequest request, ServerResponse response) {
        var found = jobs.find(authenticator.caller(request), Ids.path(request)).orElseThrow(JobsService::noSuchJob);
        Json.send(response, Status.OK_200, JobJson.of(found));
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        var job = jobs.cancel(authenticator.caller(request), Ids.path(request)).orElseThrow(JobsService::noSuchJob);
        switch (job.status()) {
            case CANCELLED -> Json.send(response, Status.OK_200, JobJson.of(job));
            case RUNNING, PENDING -> Json.send(response, Status.ACCEPTED_202, JobJson.of(job));
            case DONE, FAILED -> throw Problem.exception(Status.CONFLICT_409,
                    "the job is " + job.status().text() + ": only a pending or running job can be cancelled");
        }
    }

    private void retry(ServerRequest request, ServerResponse response) {
        UUID id = Ids.path(request);
        Json.send(response, Status.OK_200,
                JobJson.of(jobs.retry(authenticator.caller(request), id).orElseThrow(JobsService::noSuchJob)));
    }

    static ProblemException noSuchJob() {
        return Problem.exception(Status.NOT_FOUND_404, "no such job");
    }
}
