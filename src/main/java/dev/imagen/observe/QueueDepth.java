package dev.imagen.observe;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * The queue's depth for gauges, read at most once in a few seconds and only when somebody asks. Two partial indexes
 * hold all that it counts, so a million finished rows cost nothing.
 */
final class QueueDepth {

    private static final System.Logger LOG = System.getLogger(QueueDepth.class.getName());
    private static final Duration FRESH = Duration.ofSeconds(5);

    static final String DEPTH = """
            select count(*) filter (where run_at <= now()) as pending,
                   count(*) filter (where run_at > now()) as scheduled,
                   coalesce(extract(epoch from now() - min(run_at) filter (where run_at <= now())), 0) as oldest_seconds,
                   (select count(*) from imagen.jobs where status = 'running') as running
              from imagen.jobs where status = 'pending'
            """;

    private final Database database;
    private Depth last = new Depth(0, 0, 0, 0);
    private long readNanos = System.nanoTime() - FRESH.toNanos();

    QueueDepth(Database database) {
        this.database = database;
    }

    /**
     * @param pending jobs that are due
     * @param scheduled pending jobs whose time has not come
     * @param oldestSeconds how long the first of the due ones has waited
     */
    record Depth(long pending, long scheduled, long running, double oldestSeconds) {}

    /** The last known depth where the database does not answer. */
    synchronized Depth now() {
        if (System.nanoTime() - readNanos >= FRESH.toNanos()) {
            try {
                last = database.one(DEPTH, row -> new Depth(row.whole("pending"), row.whole("scheduled"),
                        row.whole("running"), row.decimal("oldest_seconds").doubleValue())).orElseThrow();
            } catch (DatabaseException e) {
                LOG.log(Level.DEBUG, "the queue's depth could not be read", e);
            } finally {
                // After the wait for an answer: the next gauge of the same scrape does not wait again.
                readNanos = System.nanoTime();
            }
        }
        return last;
    }
}
