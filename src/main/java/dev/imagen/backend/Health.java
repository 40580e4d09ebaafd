package dev.imagen.backend;

import java.time.Instant;
import java.util.Optional;

/**
 * How a backend's server was when it was last asked.
 *
 * @param problem why it could not make a picture then; empty: it could
 */
public record Health(Optional<String> problem, Instant asked) {}
