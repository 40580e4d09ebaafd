package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Refusal;
import dev.imagen.database.Caller;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.RequestResolver;
import dev.imagen.queue.OwnedJobs.Submission;
import dev.imagen.trace.Traceparent;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Reads the body of {@code POST /jobs}. Everything that would make the job fail at once is refused here: what the table
 * forbids, and what no backend or style could do.
 */
final class NewJobReader {

    private static final int MAX_PARAMS = 16 * 1024;
    private static final int MAX_PROMPT = 32_000;
    private static final int MIN_PRIORITY = -100;
    /** Only the service may let a job go before others. */
    private static final int MAX_PRIORITY = 100;
    private static final long MAX_SEED = (1L << 53) - 1;

    private final RequestResolver resolver;
    private final Predicate<String> offeredElsewhere;
    private final Inputs inputs;

    /** Which images there are to begin with. */
    @FunctionalInterface
    interface Inputs {
        /** Whether this is an image of the owner's. */
        boolean has(Caller caller, UUID owner, UUID image);
    }

    /** @param offeredElsewhere whether a live worker of another process offers a backend of this name */
    NewJobReader(RequestResolver resolver, Predicate<String> offeredElsewhere, Inputs inputs) {
        this.resolver = resolver;
        this.offeredElsewhere = offeredElsewhere;
        this.inputs = inputs;
    }

    Submission read(ObjectNode body, Caller caller, Optional<String> keyHeader) {
        var fields = new Fields(body);
        var id = fields.uuid("id");
        var owner = fields.uuid(Owners.NAME);
        var keyField = fields.text("idempotency_key", 1, 255);
        var job = job(body, caller, fields);
        keyHeader.filter(key -> key.isEmpty() || key.length() > 255)
                .ifPresent(_ -> fields.refuse("Idempotency-Key", "must have 1 to 255 characters"));
        checkCatalog(job, fields);
        fields.check();
        var whose = Owners.of(caller, owner);
        checkInput(job, caller, whose);
        return new Submission(id, whose, job, keyHeader.or(() -> keyField), Traceparent.current(), hash(id, job));
    }

    private static NewJob job(ObjectNode body, Caller caller, Fields fields) {
        var prompt = fields.text("prompt", 1, MAX_PROMPT);
        if (!body.hasNonNull("prompt")) {
            fields.refuse("prompt", "is missing: say what to show");
        } else if (prompt.isPresent() && prompt.get().isBlank()) {
            fields.refuse("prompt", "must not be blank");
        }
        return new NewJob(prompt.orElse(""), fields.text("negative_prompt", 0, MAX_PROMPT),
                fields.text("backend", 1, 200), fields.text("model", 1, 200), fields.text("style", 1, 200),
                fields.integer("width", 16, 8192), fields.integer("height", 16, 8192),
                fields.integer("steps", 1, 10_000), fields.whole("seed", 0, MAX_SEED),
                fields.integer("priority", MIN_PRIORITY, caller.operates() ? MAX_PRIORITY : 0).orElse(0),
                fields.time("run_at"), fields.integer("max_attempts", 1, 25).orElse(3),
                fields.values("params", MAX_PARAMS), fields.integer("count", 1, 10).orElse(1),
                fields.uuid("input_image_id"), strength(fields));
    }

    private static Optional<Double> strength(Fields fields) {
        var strength = fields.number("strength", 0, 1);
        if (strength.isPresent() && !fields.has("input_image_id")) {
            fields.refuse("strength", "means nothing without input_image_id");
        }
        return strength;
    }

    private void checkInput(NewJob job, Caller caller, UUID owner) {
        if (job.inputImageId().isPresent() && !inputs.has(caller, owner, job.inputImageId().get())) {
            throw Problem.invalid("input_image_id", "is no image of this owner, or was deleted");
        }
    }

    private void checkCatalog(NewJob job, Fields fields) {
        for (Refusal refusal : resolver.refusals(job)) {
            if (!refusal.field().equals("backend") || !offeredElsewhere.test(resolver.backend(job))) {
                fields.refuse(refusal.field(), refusal.detail());
            }
        }
    }

    /** Of what was asked for, not of its spelling: the order of fields and white space may differ. */
    private static byte[] hash(Optional<UUID> id, NewJob job) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(Json.bytes(asked(id, job)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Only what was said: a field that a later version knows does not change what an earlier request meant. */
    private static ObjectNode asked(Optional<UUID> id, NewJob job) {
        var node = Json.object().put("prompt", job.prompt()).put("priority", job.priority()).put("max_attempts",
                job.maxAttempts());
        id.ifPresent(value -> node.put("id", value.toString()));
        job.negativePrompt().ifPresent(value -> node.put("negative_prompt", value));
        job.backend().ifPresent(value -> node.put("backend", value));
        job.model().ifPresent(value -> node.put("model", value));
        job.style().ifPresent(value -> node.put("style", value));
        job.width().ifPresent(value -> node.put("width", value));
        job.height().ifPresent(value -> node.put("height", value));
        job.steps().ifPresent(value -> node.put("steps", value));
        job.seed().ifPresent(value -> node.put("seed", value));
        job.runAt().ifPresent(value -> node.put("run_at", value.toString()));
        job.inputImageId().ifPresent(value -> node.put("input_image_id", value.toString()));
        job.strength().ifPresent(value -> node.put("strength", value));
        if (job.count() != 1) {
            node.put("count", job.count());
        }
        if (!job.params().isEmpty()) {
            node.set("params", Json.node(job.params()));
        }
        return node;
    }
}
