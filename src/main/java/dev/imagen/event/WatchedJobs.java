package dev.imagen.event;

import dev.imagen.database.Database;
import dev.imagen.database.Row;
import dev.imagen.job.Job;
import dev.imagen.queue.JobRows;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

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

    /**
     * Only ticks of the attempt that runs now, with the estimate of {@link dev.imagen.queue.JobQueue.ProgressTick}.
     * Previews of the last seconds, of what other processes run. Looks up watched ids in a hash table: as arrays they
     * would be gone through for each running job.
     */
    private static final String PROGRESS = """
            select p.job_id, j.owner_user_id, j.attempt, p.step, p.steps,
                   (1000 * case when p.step >= p.steps then 0
                                else greatest(took / p.step * (p.steps - p.step) - age,
                                              (took + age) / (p.step + 1) * (p.steps - p.step - 1)) end)::bigint as eta_ms,
                   case when elsewhere and p.preview_at >= j.started_at
                             and p.preview_at > now() - interval '3 seconds' then p.preview end as preview,
                   elsewhere and coalesce(p.previews_until < now() + interval '5 seconds', true) as unasked
              from imagen.job_progress p join imagen.jobs j on j.id = p.job_id
             cross join lateral (select j.worker_id is distinct from ?::uuid as elsewhere,
                                        extract(epoch from p.updated_at - j.started_at) as took,
                                        extract(epoch from now() - p.updated_at) as age) as run
             where j.status = 'running' and p.updated_at >= j.started_at and p.step > 0
               and (j.id in (select unnest(?::uuid[])) or j.owner_user_id in (select unnest(?::uuid[])))
            """;

    /** Tells whoever runs these jobs that their previews are wanted here, too. A row that is held is asked later. */
    private static final String ASK = """
            update imagen.job_progress set previews_until = now() + interval '10 seconds'
             where job_id = any (array(select job_id from imagen.job_progress where job_id = any (?::uuid[])
                                          for update skip locked))
            """;

    /** A transaction may commit this long after the time that its rows carry. */
    public static final Duration LATE_COMMIT = Duration.ofSeconds(30);

    private record Told(JobProgress progress, boolean unasked) {}

    private final Database database;
    private final Supplier<Optional<UUID>> worker;

    /**
     * Rows of this database.
     *
     * @param worker of this process, as it is called now: previews of what it runs do not take this way
     */
    public WatchedJobs(Database database, Supplier<Optional<UUID>> worker) {
        this.database = database;
        this.worker = worker;
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
        var told = database.query(PROGRESS, row -> new Told(progress(row), row.flag("unasked")),
                worker.get().orElse(null), array(ids), array(owners));
        var unasked = told.stream().filter(Told::unasked).map(one -> one.progress().jobId()).toList();
        if (!unasked.isEmpty()) {
            database.update(ASK, (Object) array(unasked));
        }
        return told.stream().map(Told::progress).toList();
    }

    private static JobProgress progress(Row row) {
        return new JobProgress(row.uuid("job_id"), row.uuid("owner_user_id"), row.integer("attempt"),
                row.integer("step"), row.integer("steps"), Duration.ofMillis(row.whole("eta_ms")),
                Optional.ofNullable(row.bytes("preview")));
    }

    private static String[] array(Collection<UUID> ids) {
        return ids.stream().map(UUID::toString).toArray(String[]::new);
    }
}
