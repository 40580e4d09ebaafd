package dev.imagen.job;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * One row of {@code imagen.jobs}. All times are the database's.
 *
 * @param request what the client asked for, with the backend that the claim resolved
 * @param attempt claims so far; together with {@code workerId} the fence of every write about a running job
 * @param failures attempts spent, compared with {@code request.maxAttempts()}
 * @param workerId who runs it, or ran it last
 * @param error what went wrong, for a person
 * @param imageId the first image
 * @param images all of them in order, also those that were removed since
 * @param traceparent the span that the job belongs to, by W3C's Trace Context
 * @param version rises with each visible change: the event id of the status stream
 */
public record Job(UUID id, UUID ownerUserId, NewJob request, Optional<String> idempotencyKey, JobStatus status,
        int attempt, int failures, Optional<UUID> workerId, Optional<String> error, Optional<UUID> imageId,
        List<UUID> images, Optional<Instant> cancelRequestedAt, Optional<String> traceparent, long version,
        Instant createdAt, Instant updatedAt, Optional<Instant> startedAt, Optional<Instant> completedAt) {

    /** One that belongs to no trace. */
    public Job(UUID id, UUID ownerUserId, NewJob request, Optional<String> idempotencyKey, JobStatus status,
            int attempt, int failures, Optional<UUID> workerId, Optional<String> error, Optional<UUID> imageId,
            List<UUID> images, Optional<Instant> cancelRequestedAt, long version, Instant createdAt, Instant updatedAt,
            Optional<Instant> startedAt, Optional<Instant> completedAt) {
        this(id, ownerUserId, request, idempotencyKey, status, attempt, failures, workerId, error, imageId, images,
                cancelRequestedAt, Optional.empty(), version, createdAt, updatedAt, startedAt, completedAt);
    }

    /** How long it was due before it was claimed; empty where it is not, and where the clock was set back. */
    public Optional<Duration> waited() {
        var due = request.runAt().filter(at -> at.isAfter(createdAt)).orElse(createdAt);
        return startedAt.map(claimed -> Duration.between(due, claimed)).filter(wait -> !wait.isNegative());
    }
}
