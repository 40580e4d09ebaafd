package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** Why attempts failed in the last minutes, for operators. */
public final class QueueFailures {

    /** More would take longer to read than anybody waits, and tell nothing new. */
    private static final int MOST_READ = 10_000;

    /**
     * Errors that differ only in an id, a number or which attempt it was are one reason. A number that may be a status
     * of HTTP stays: it is the reason.
     */
    private static final String FAILURES = """
            with latest as (
                select job_id, coalesce(backend, '') as backend, ended_at, left(coalesce(error, ''), 1000) as error
                  from imagen.job_attempts
                 where ended_at >= now() - make_interval(mins => ?) and outcome in ('failed', 'rescued')
                 order by ended_at desc limit ?
            ), reason as (
                select job_id, backend, ended_at,
                       regexp_replace(regexp_replace(regexp_replace(error,
                           ' \\(attempt \\d+ of \\d+\\)$', ''),
                           '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<id>', 'gi'),
                           '(?<!\\d)(?![45]\\d\\d(?!\\d))\\d+', '<n>', 'g') as reason
                  from latest
            )
            select backend, reason, count(*) as count, max(ended_at) as last_at,
                   (array_agg(job_id order by ended_at desc))[1] as job_id
              from reason
             group by backend, reason
             order by count(*) desc, max(ended_at) desc limit 20
            """;

    private final Database database;

    /** Of this database. */
    public QueueFailures(Database database) {
        this.database = database;
    }

    /**
     * A reason of failures.
     *
     * @param reason the error with {@code <id>} and {@code <n>} for what varies
     * @param count attempts that failed so, at most
     * @param job one of them, the last
     */
    public record Failure(String backend, String reason, long count, Instant lastAt, UUID job) {}

    /**
     * The twenty most frequent reasons of the last 10,000 failed attempts, the most frequent first.
     *
     * @param minutes how far back
     */
    public List<Failure> list(Caller operator, int minutes) {
        return database.query(operator, FAILURES, QueueFailures::failure, minutes, MOST_READ);
    }

    private static Failure failure(Row row) {
        return new Failure(row.text("backend"), row.text("reason"), row.whole("count"), row.instant("last_at"),
                row.uuid("job_id"));
    }
}
