package dev.imagen.event;

import dev.imagen.database.Database;
import dev.imagen.job.Job;
import dev.imagen.queue.JobRows;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/** Reads the rows that streams watch, as the service: each stream's owner was checked when it was opened. */
public final class WatchedJobs {

    private static final String THESE = """
            select j.* from imagen.jobs j where j.id = any (?::uuid[])
            """;

    /**
     * What owners' streams do not know yet has changed since they were last told. The newest ten thousand: a stream
     * that missed more ends by its mailbox's limit, and begins anew.
     */
    private static final String ALL = """
            select j.* from imagen.jobs j where j.id = any (?::uuid[])
            union
            (select j.* from imagen.jobs j
              where j.owner_user_id = any (?::uuid[]) and j.status in ('pending', 'running')
                and j.updated_at > now() - ? * interval '1 millisecond'
              order by j.updated_at desc limit 10000)
            union
            (select j.* from imagen.jobs j
              where j.owner_user_id = any (?::uuid[]) and j.status in ('done', 'failed', 'cancelled')
                and j.updated_at > now() - ? * interval '1 millisecond'
              order by j.updated_at desc limit 10000)
            """;

    /** Only ticks of the attempt that runs now. */
    private static final String PROGRESS = """
            select p.job_id, j.owner_user_id, j.attempt, p.step, p.steps,
                   (extract(epoch from p.updated_at - j.started_at) * 1000 * (p.steps - p.step) / p.step)::bigint as eta_ms
              from imagen.job_progress p join imagen.jobs j on j.id = p.job_id
             where j.status = 'running' and p.updated_at >= j.started_at and p.step > 0
               and (j.id = any (?::uuid[]) or j.owner_user_id = any (?::uuid[]))
            """;

    /** A transaction may commit this long after the time that its rows carry. */
    public static final Duration LATE_COMMIT = Duration.ofSeconds(30);

    private final Database database;

    /** Rows of this database. */
    public WatchedJobs(Database database) {
        this.database = database;
    }

    List<Job> these(Collection<UUID> ids) {
        return database.query(THESE, JobRows::job, (Object) array(ids));
    }

    /** Watched jobs, and those of the owners that changed within this time. */
    List<Job> all(Collection<UUID> ids, Collection<UUID> owners, Duration unseen) {
        long millis = unseen.plus(LATE_COMMIT).toMillis();
        return database.query(ALL, JobRows::job, array(ids), array(owners), millis, array(owners), millis);
    }

    List<JobProgress> progress(Collection<UUID> ids, Collection<UUID> owners) {
        return database.query(PROGRESS,
                row -> new JobProgress(row.uuid("job_id"), row.uuid("owner_user_id"), row.integer("attempt"),
                        row.integer("step"), row.integer("steps"), Duration.ofMillis(row.whole("eta_ms"))),
                array(ids), array(owners));
    }

    private static String[] array(Collection<UUID> ids) {
        return ids.stream().map(UUID::toString).toArray(String[]::new);
    }
}
