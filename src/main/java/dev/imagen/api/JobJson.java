package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.job.Job;
import dev.imagen.job.JobAttempt;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import dev.imagen.queue.OwnedJobs;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** A job as JSON: the column names, times in ISO 8601 UTC, and null for what is not known. */
final class JobJson {

    private JobJson() {}

    static ObjectNode of(Job job) {
        return of(job, Optional.empty());
    }

    /** With its place in line and its attempts. */
    static ObjectNode of(OwnedJobs.Found found) {
        var node = of(found.job(), found.place());
        var attempts = node.putArray("attempts");
        found.attempts().forEach(attempt -> fill(attempts.addObject(), attempt));
        return node;
    }

    private static void fill(ObjectNode node, JobAttempt attempt) {
        node.put("attempt", attempt.attempt()).put("worker_id", text(attempt.workerId()))
                .put("backend", attempt.backend().orElse(null)).put("started_at", time(attempt.startedAt()))
                .put("ended_at", time(attempt.endedAt())).put("outcome", attempt.outcome().orElse(null))
                .put("error", attempt.error().orElse(null));
    }

    private static ObjectNode of(Job job, Optional<Long> position) {
        var node = Json.object().put("id", job.id().toString()).put("owner_user_id", job.ownerUserId().toString())
                .put("status", job.status().text());
        request(node, job.request());
        node.put("idempotency_key", job.idempotencyKey().orElse(null)).put("attempt", job.attempt())
                .put("failures", job.failures()).put("worker_id", text(job.workerId()))
                .put("error", job.error().orElse(null)).put("image_id", text(job.imageId()))
                .put("image_url",
                        job.status() == JobStatus.DONE ? job.imageId().map(ImageJson::url).orElse(null) : null)
                .put("position", position.orElse(null)).put("version", job.version())
                .put("cancel_requested_at", time(job.cancelRequestedAt())).put("created_at", job.createdAt().toString())
                .put("updated_at", job.updatedAt().toString()).put("started_at", time(job.startedAt()))
                .put("completed_at", time(job.completedAt()));
        var images = node.putArray("images");
        job.images().forEach(image -> images.add(image.toString()));
        return node;
    }

    private static void request(ObjectNode node, NewJob request) {
        node.put("prompt", request.prompt()).put("negative_prompt", request.negativePrompt().orElse(null))
                .put("backend", request.backend().orElse(null)).put("model", request.model().orElse(null))
                .put("style", request.style().orElse(null)).put("width", request.width().orElse(null))
                .put("height", request.height().orElse(null)).put("steps", request.steps().orElse(null))
                .put("seed", request.seed().orElse(null)).put("priority", request.priority())
                .put("run_at", time(request.runAt())).put("max_attempts", request.maxAttempts())
                .put("count", request.count()).put("input_image_id", text(request.inputImageId()))
                .put("strength", request.strength().orElse(null));
        node.set("params", request.params().isEmpty() ? null : Json.node(request.params()));
    }

    static String text(Optional<UUID> id) {
        return id.map(UUID::toString).orElse(null);
    }

    static String time(Optional<Instant> time) {
        return time.map(Instant::toString).orElse(null);
    }
}
