package dev.imagen.api;

import dev.imagen.database.Caller;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** How many event streams each owner has open in this process. */
final class StreamSlots {

    /** Streams of the service are counted together. */
    private static final UUID SERVICE = new UUID(0, 0);
    private static final String A_WHILE = "10";

    private final Optional<Integer> limit;
    private final Map<UUID, Integer> open = new ConcurrentHashMap<>();

    /** @param limit for each owner; empty: any number */
    StreamSlots(Optional<Integer> limit) {
        this.limit = limit;
    }

    /** Gives the slot back. */
    interface Slot extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws ProblemException 429 when all are taken */
    Slot take(Caller caller) {
        if (limit.isEmpty()) {
            return () -> {};
        }
        var owner = caller.owner().orElse(SERVICE);
        open.compute(owner, (_, count) -> {
            if (count != null && count >= limit.get()) {
                throw new ProblemException(new Problem(Status.TOO_MANY_REQUESTS_429,
                        "too many event streams: an owner" + " may have " + limit.get()
                                + " open at a time (api.streams); close some, or watch all jobs"
                                + " with one at /jobs/events",
                        List.of(), Map.of(HeaderNames.RETRY_AFTER, A_WHILE)));
            }
            return count == null ? 1 : count + 1;
        });
        return () -> open.computeIfPresent(owner, (_, count) -> count == 1 ? null : count - 1);
    }
}
