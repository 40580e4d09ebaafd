package dev.imagen.config;

import java.time.Duration;

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
 */
public record WorkerSettings(boolean enabled, int concurrency, Duration poll, Duration timeout, Duration grace,
        Duration lease, Duration unknown, Duration backoff) {

    /** Five renewals a lease: one may be lost, and another, before anything stops. */
    public Duration renewal() {
        return lease.dividedBy(5);
    }

    /** Without a successful renewal for this long, a worker stops its own jobs: well before anyone may rescue them. */
    public Duration selfStop() {
        return lease.multipliedBy(2).dividedBy(3);
    }
}
