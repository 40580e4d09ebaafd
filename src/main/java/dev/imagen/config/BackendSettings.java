package dev.imagen.config;

import java.time.Duration;
import java.util.Optional;

/**
 * How jobs of one backend are worked on.
 *
 * @param concurrency how many may run at once over all processes; empty: any number
 * @param slots how many may run at once in this process; empty: {@code worker.concurrency}
 * @param timeout longest attempt; empty: {@code worker.timeout}
 * @param backoff as {@code worker.backoff}, which it is if empty
 */
public record BackendSettings(Optional<Integer> concurrency, Optional<Integer> slots, Optional<Duration> timeout,
        Optional<Duration> backoff) {

    /** Nothing is set. */
    public static final BackendSettings NONE = new BackendSettings(Optional.empty(), Optional.empty(), Optional.empty(),
            Optional.empty());
}
