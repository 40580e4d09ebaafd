package dev.imagen.config;

import java.time.Duration;
import java.util.Map;

/**
 * How a process works on the queue.
 *
 * @param enabled false: this process claims nothing
 * @param concurrency jobs at once
 * @param poll longest sleep without a look at the queue
 * @param timeout longest attempt
 * @param grace how long jobs may go on while the process stops
 * @param lease age of a heartbeat, by the database's clock, from which a worker is dead
 * @param unknown how long a due job waits for a worker that knows its backend
 * @param backoff upper limit of the random wait before the second attempt; doubles with each further one
 * @param backends what differs for a backend, by name
 */
public record WorkerSettings(boolean enabled, int concurrency, Duration poll, Duration timeout, Duration grace,
        Duration lease, Duration unknown, Duration backoff, Map<String, BackendSettings> backends) {

    /** What is set for a backend. */
    public BackendSettings backend(String name) {
        return backends.getOrDefault(name, BackendSettings.NONE);
    }

    /** The longest attempt on a backend. */
    public Duration timeout(String backend) {
        return backend(backend).timeout().orElse(timeout);
    }

    /** The backoff of a backend's jobs. */
    public Duration backoff(String backend) {
        return backend(backend).backoff().orElse(backoff);
    }

    /** How many jobs of a backend may run at once in this process. */
    public int slots(String backend) {
        return Math.min(concurrency, backend(backend).slots().orElse(concurrency));
    }

    /** Five renewals a lease: one may be lost, and another, before anything stops. */
    public Duration renewal() {
        return lease.dividedBy(5);
    }

    /** Without a successful renewal for this long, a worker stops its own jobs: well before anyone may rescue them. */
    public Duration selfStop() {
        return lease.multipliedBy(2).dividedBy(3);
    }
}
