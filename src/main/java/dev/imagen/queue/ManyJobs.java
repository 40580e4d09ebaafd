package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Cancels and retries many jobs, for operators: batches of up to 1000, each a statement and a transaction of its own. A
 * call that is repeated goes on where the last one stopped.
 */
public final class ManyJobs {

    private static final String CANCEL = """
            select * from imagen.cancel_jobs(?::text, ?::uuid, ?::text, ?::timestamptz, ?::timestamptz)
            """;

    private static final String RETRY = """
            select * from imagen.retry_jobs(?::text, ?::uuid, ?::text, ?::timestamptz, ?::timestamptz, ?::uuid[])
            """;

    private static final int MOST = 100_000;

    /** Of one call: whoever asked does not wait much longer. */
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private final Database database;
    private final int most;

    /** Of this database. */
    public ManyJobs(Database database) {
        this(database, MOST);
    }

    /** @param most jobs that one call moves, beyond which no further batch is begun */
    ManyJobs(Database database, int most) {
        this.database = database;
        this.most = most;
    }

    /**
     * Which jobs; what is empty leaves nothing out.
     *
     * @param backend {@code ""}: those that name none
     * @param since created then or later
     * @param until created before
     */
    public record Filter(Optional<String> backend, Optional<UUID> owner, Optional<String> status,
            Optional<Instant> since, Optional<Instant> until) {

        private Stream<Object> parameters() {
            return Stream.of(backend.orElse(null), owner.orElse(null), status.orElse(null), time(since), time(until));
        }

        private static Object time(Optional<Instant> time) {
            return time.map(instant -> instant.atOffset(ZoneOffset.UTC)).orElse(null);
        }
    }

    /**
     * @param asked running jobs whose workers were asked to stop
     * @param more whether it stopped before it found no more
     */
    public record Cancelled(long cancelled, long asked, boolean more) {}

    /**
     * @param limitedOwners how many owners had jobs left out, for their limit of pending jobs or their budget
     * @param more whether it stopped before it found no more
     */
    public record Retried(long retried, int limitedOwners, boolean more) {}

    /** Cancels what is pending, and asks the workers of what runs to stop. */
    public Cancelled cancel(Caller operator, Filter filter) {
        var bound = new Bound();
        var sum = new Cancelled(0, 0, true);
        while (bound.goOn(sum.cancelled() + sum.asked())) {
            var batch = cancelSome(operator, filter);
            sum = new Cancelled(sum.cancelled() + batch.cancelled(), sum.asked() + batch.asked(), batch.more());
            if (!batch.more()) {
                return sum;
            }
        }
        return sum;
    }

    private Cancelled cancelSome(Caller operator, Filter filter) {
        return database.as(operator, session -> session.one(CANCEL, row -> {
            long cancelled = row.whole("cancelled");
            long asked = row.whole("asked");
            return new Cancelled(cancelled, asked, cancelled + asked > 0);
        }, filter.parameters().toArray())).orElseThrow();
    }

    /** Makes what failed or was cancelled pending again, the oldest first, of each owner as many as may be. */
    public Retried retry(Caller operator, Filter filter) {
        var bound = new Bound();
        Set<UUID> limited = new HashSet<>();
        long sum = 0;
        while (bound.goOn(sum)) {
            int known = limited.size();
            long batch = retrySome(operator, filter, limited);
            sum += batch;
            if (batch == 0 && limited.size() == known) {
                return new Retried(sum, known, false);
            }
        }
        return new Retried(sum, limited.size(), true);
    }

    /** @param limited owners who are left out; those that are found are added */
    private long retrySome(Caller operator, Filter filter, Set<UUID> limited) {
        var parameters = Stream.concat(filter.parameters(), Stream.of((Object) limited.toArray(UUID[]::new))).toArray();
        return database.as(operator, session -> session.one(RETRY, row -> {
            limited.addAll(row.list("limited", UUID.class));
            return row.whole("retried");
        }, parameters)).orElseThrow();
    }

    private final class Bound {

        private final long endNanos = System.nanoTime() + LONGEST.toNanos();

        boolean goOn(long moved) {
            return moved < most && System.nanoTime() - endNanos < 0;
        }
    }
}
