package dev.imagen.job;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * One claim of a job and what became of it.
 *
 * @param attempt the job's {@code attempt} from the claim on
 * @param workerId who ran it
 * @param endedAt empty while it runs
 * @param outcome done, failed, cancelled, handed_back or rescued; empty while it runs
 * @param error what went wrong, for a person
 */
public record JobAttempt(int attempt, Optional<UUID> workerId, Optional<String> backend, Optional<Instant> startedAt,
        Optional<Instant> endedAt, Optional<String> outcome, Optional<String> error) {}
