package dev.imagen.api;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** So many requests a minute of each who sends them, in this process; what was not used may be used at once. */
final class RateLimit {

    /** Beyond this the one that was seen longest ago is forgotten, and begins anew when it comes back. */
    private static final int REMEMBERED = 100_000;

    private final Bandwidth bandwidth;
    private final String who;
    private final Map<Object, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, Bucket> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** @param who is limited, for the message */
    RateLimit(int requestsPerMinute, String who) {
        this.bandwidth = Bandwidth.builder().capacity(requestsPerMinute)
                .refillGreedy(requestsPerMinute, Duration.ofMinutes(1)).build();
        this.who = who;
    }

    /** Counts a request. @throws ProblemException 429 with the time to wait when it is one too many */
    void take(Object sender) {
        var taken = bucket(sender).tryConsumeAndReturnRemaining(1);
        if (!taken.isConsumed()) {
            long seconds = Duration.ofNanos(taken.getNanosToWaitForRefill()).plusSeconds(1).toSeconds();
            throw new ProblemException(new Problem(Status.TOO_MANY_REQUESTS_429,
                    "too many requests of " + who + ": " + bandwidth.getCapacity() + " are allowed within a minute",
                    List.of(), Map.of(HeaderNames.RETRY_AFTER, String.valueOf(seconds))));
        }
    }

    private Bucket bucket(Object sender) {
        synchronized (buckets) {
            return buckets.computeIfAbsent(sender, _ -> Bucket.builder().addLimit(bandwidth).build());
        }
    }

    static Optional<RateLimit> of(Optional<Integer> requestsPerMinute, String who) {
        return requestsPerMinute.map(limit -> new RateLimit(limit, who));
    }
}
