package dev.imagen.queue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.job.JobAttempt;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.StreamSupport;

/** A job's attempts as one JSON column, so that a job and its attempts are one round trip. */
final class AttemptRows {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Selects the attempts of the job row {@code j} as text, oldest first: those that ended, and the one that runs.
     * Times are microseconds since 1970, which is what PostgreSQL keeps.
     */
    static final String COLUMN = """
            (select jsonb_agg(jsonb_build_object(
                        'attempt', a.attempt, 'worker_id', a.worker_id, 'backend', a.backend,
                        'started_at', (extract(epoch from a.started_at) * 1000000)::bigint,
                        'ended_at', (extract(epoch from a.ended_at) * 1000000)::bigint,
                        'outcome', a.outcome, 'error', a.error) order by a.attempt)::text
               from (select attempt, worker_id, backend, started_at, ended_at, outcome, error
                       from imagen.job_attempts where job_id = j.id
                     union all
                     select j.attempt, j.worker_id, j.backend, j.started_at, null, null, null
                      where j.status = 'running') as a)
            """;

    private AttemptRows() {}

    static List<JobAttempt> attempts(Optional<String> column) {
        return column.map(AttemptRows::parse).orElse(List.of());
    }

    private static List<JobAttempt> parse(String json) {
        try {
            return StreamSupport.stream(JSON.readTree(json).spliterator(), false).map(AttemptRows::attempt).toList();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("PostgreSQL made JSON that cannot be read", e);
        }
    }

    private static JobAttempt attempt(JsonNode node) {
        return new JobAttempt(node.get("attempt").intValue(), text(node, "worker_id").map(UUID::fromString),
                text(node, "backend"), time(node, "started_at"), time(node, "ended_at"), text(node, "outcome"),
                text(node, "error"));
    }

    private static Optional<String> text(JsonNode node, String field) {
        return Optional.ofNullable(node.get(field).textValue());
    }

    private static Optional<Instant> time(JsonNode node, String field) {
        return Optional.of(node.get(field)).filter(JsonNode::isNumber)
                .map(micros -> Instant.EPOCH.plus(micros.longValue(), ChronoUnit.MICROS));
    }
}
