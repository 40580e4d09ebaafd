package dev.imagen.queue;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Exponential backoff with full jitter: random, so that what failed together does not come back together.
 *
 * @param base the upper limit of the wait before the second attempt
 */
record Backoff(Duration base) {

    private static final Duration CAP = Duration.ofHours(1);

    /**
     * @param attempt the attempt to wait for, from 2
     * @param atLeast what the failed server asked for
     */
    Duration before(int attempt, Optional<Duration> atLeast) {
        var limit = base.multipliedBy(1L << Math.min(attempt - 2, 20));
        limit = limit.compareTo(CAP) < 0 ? limit : CAP;
        var wait = Duration.ofMillis(ThreadLocalRandom.current().nextLong(limit.toMillis() + 1));
        return atLeast.map(asked -> asked.plus(wait)).orElse(wait);
    }
}
