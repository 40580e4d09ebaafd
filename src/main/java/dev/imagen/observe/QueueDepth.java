package dev.imagen.observe;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;

/**
 * The queue's depth. Two partial indexes hold all that it counts, so a million finished rows cost nothing.
 *
 * @param pending jobs that are due
 * @param scheduled pending jobs whose time has not come
 * @param oldestSeconds how long the first of the due ones has waited
 */
record QueueDepth(long pending, long scheduled, long running, double oldestSeconds) {

    static final QueueDepth UNKNOWN = new QueueDepth(0, 0, 0, 0);

    static final String DEPTH = """
            select count(*) filter (where run_at <= now()) as pending,
                   count(*) filter (where run_at > now()) as scheduled,
                   coalesce(extract(epoch from now() - min(run_at) filter (where run_at <= now())), 0) as oldest_seconds,
                   (select count(*) from imagen.jobs where status = 'running') as running
              from imagen.jobs where status = 'pending'
            """;

    /** @throws DatabaseException when the database does not answer */
    static QueueDepth read(Database database) {
        return database.one(DEPTH, row -> new QueueDepth(row.whole("pending"), row.whole("scheduled"),
                row.whole("running"), row.decimal("oldest_seconds").doubleValue())).orElseThrow();
    }
}
