package dev.imagen.api;

import dev.imagen.event.JobEvents;
import dev.imagen.event.WatchedJobs;
import dev.imagen.job.Job;
import dev.imagen.queue.OwnedJobs;
import dev.imagen.queue.OwnedJobs.Found;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** {@code /jobs/events} and {@code /jobs/{id}/events}: server-sent events. */
final class JobEventsService implements HttpService {

    private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
    private static final String LAST_EVENT_ID_PARAMETER = "last_event_id";

    private final OwnedJobs jobs;
    private final JobEvents events;
    private final Authenticator authenticator;
    private final StreamSlots slots;
    private final StatusEvents ofOne = new StatusEvents(job -> String.valueOf(job.version()));
    private final StatusEvents ofAll = new StatusEvents(JobEventsService::changeId);

    JobEventsService(OwnedJobs jobs, JobEvents events, Authenticator authenticator, StreamSlots slots) {
        this.jobs = jobs;
        this.events = events;
        this.authenticator = authenticator;
        this.slots = slots;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/events", this::all).get("/{id}/events", this::one);
    }

    private void one(ServerRequest request, ServerResponse response) {
        var caller = authenticator.watcher(request);
        UUID id = Ids.path(request);
        var mailbox = new Mailbox();
        try (var _ = slots.take(caller); var _ = events.watchJob(id, mailbox)) {
            var job = jobs.find(caller, id).map(Found::job).orElseThrow(JobsService::noSuchJob);
            boolean known = lastVersion(request).filter(version -> version >= job.version()).isPresent();
            if (known && job.status().finished()) {
                // Tells an EventSource not to come back: it has the end already.
                response.status(Status.NO_CONTENT_204).send();
                return;
            }
            var stream = new EventStream(SseWriter.open(request, response), mailbox, ofOne, true, caller.until());
            if (known) {
                stream.known(job);
            }
            stream.run(List.of(job));
        }
    }

    private static Optional<Long> lastVersion(ServerRequest request) {
        return lastEventId(request).filter(text -> text.matches("\\d{1,18}")).map(Long::valueOf);
    }

    /** A page that opens a stream anew, as with another ticket, cannot send the header. */
    private static Optional<String> lastEventId(ServerRequest request) {
        return request.headers().first(LAST_EVENT_ID)
                .or(() -> request.query().contains(LAST_EVENT_ID_PARAMETER)
                        ? Optional.of(request.query().get(LAST_EVENT_ID_PARAMETER))
                        : Optional.empty());
    }

    private void all(ServerRequest request, ServerResponse response) {
        var caller = authenticator.watcher(request);
        var mailbox = new Mailbox();
        var owner = Owners.asked(request, caller);
        try (var _ = slots.take(caller); var _ = events.watchOwner(owner, mailbox)) {
            var since = lastChange(request).map(time -> time.minus(WatchedJobs.LATE_COMMIT));
            var first = new JobPages(jobs, caller, owner, since);
            // Before the first byte: an answer that is an error must still be possible.
            first.hasNext();
            new EventStream(SseWriter.open(request, response), mailbox, ofAll, false, caller.until()).run(() -> first);
        }
    }

    private static String changeId(Job job) {
        return job.updatedAt() + "_" + job.id();
    }

    private static Optional<Instant> lastChange(ServerRequest request) {
        return lastEventId(request).flatMap(text -> {
            try {
                return Optional.of(Times.parse(text.replaceFirst("_.*", "")));
            } catch (DateTimeException e) {
                // Not one of ours: begin anew.
                return Optional.empty();
            }
        });
    }
}
