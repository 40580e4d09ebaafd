package dev.imagen.event;

import java.time.Duration;
import java.util.UUID;

/**
 * How far a running job is.
 *
 * @param attempt the attempt that tells it
 * @param step steps finished
 * @param steps steps in all
 * @param eta estimated time to its last step, from the steps so far
 */
public record JobProgress(UUID jobId, UUID ownerUserId, int attempt, int step, int steps, Duration eta) {}
