package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** How the whole queue was in the last minutes, for operators' charts. */
public final class QueueHistory {

    /** Samples are a minute apart: shorter buckets would be empty ones. */
    private static final int MOST_BUCKETS = 120;

    private static final String BUCKETS = """
            with step as (
                select step.long, date_bin(step.long, now(), 'epoch') as last,
                       date_bin(step.long, now(), 'epoch') - (? - 1) * step.long as first
                  from (select make_interval(mins => ?) as long) as step
            ), ended as (
                select date_bin((select long from step), a.ended_at, 'epoch') as at,
                       count(*) filter (where outcome = 'done') as done,
                       count(*) filter (where outcome = 'failed') as failed,
                       count(*) filter (where outcome = 'cancelled') as cancelled,
                       count(*) filter (where outcome = 'rescued') as rescued
                  from imagen.job_attempts a
                 where a.ended_at >= (select first from step) and (?::text is null or a.backend = ?)
                 group by 1
            ), sample as (
                select s.taken_at, sum(s.pending) filter (where wanted) as pending,
                       sum(s.running) filter (where wanted) as running,
                       max(s.oldest_seconds) filter (where wanted) as oldest_seconds
                  from imagen.queue_samples s
                 cross join lateral (select ?::text is null or s.backend = ? as wanted) as filter
                 where s.taken_at >= (select first from step)
                 group by 1
            ), depth as (
                select date_bin((select long from step), taken_at, 'epoch') as at,
                       max(coalesce(pending, 0))::bigint as pending, max(coalesce(running, 0))::bigint as running,
                       max(oldest_seconds) as oldest_seconds
                  from sample
                 group by 1
            )
            select at, coalesce(done, 0) as done, coalesce(failed, 0) as failed, coalesce(cancelled, 0) as cancelled,
                   coalesce(rescued, 0) as rescued, pending, running, oldest_seconds
              from (select generate_series(first, last, long) as at from step) as bucket
              left join ended using (at)
              left join depth using (at)
             order by at
            """;

    private final Database database;

    /** Of this database. */
    public QueueHistory(Database database) {
        this.database = database;
    }

    /**
     * One stretch of time.
     *
     * @param at its beginning
     * @param done attempts that ended then, by their outcome
     * @param pending the most that were due in any sample; empty: none was taken
     * @param oldestSeconds the longest that the first of those due had waited; empty: none was due, or no sample
     */
    public record Bucket(Instant at, long done, long failed, long cancelled, long rescued, Optional<Long> pending,
            Optional<Long> running, Optional<Double> oldestSeconds) {}

    /** @param step how long each bucket is */
    public record Series(Duration step, List<Bucket> buckets) {}

    /**
     * Whole minutes a bucket, at most 120 of them; the last one is under way.
     *
     * @param minutes how far back
     * @param backend empty: of all
     */
    public Series series(Caller operator, int minutes, Optional<String> backend) {
        int step = Math.ceilDiv(minutes, MOST_BUCKETS);
        var name = backend.orElse(null);
        return new Series(Duration.ofMinutes(step), database.query(operator, BUCKETS, QueueHistory::bucket,
                Math.ceilDiv(minutes, step), step, name, name, name, name));
    }

    private static Bucket bucket(Row row) {
        return new Bucket(row.instant("at"), row.whole("done"), row.whole("failed"), row.whole("cancelled"),
                row.whole("rescued"), row.optionalWhole("pending"), row.optionalWhole("running"),
                row.optionalDouble("oldest_seconds"));
    }
}
