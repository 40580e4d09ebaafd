package dev.imagen.queue;

/** The leases of workers: which of them live. What becomes of the jobs of the dead is in {@link JobSql#RESCUE}. */
final class LeaseSql {

    static final String REGISTER = """
            insert into imagen.workers (id, name, backends) values (?::uuid, ?, ?::text[])
            """;

    /** A worker whose lease ran out stays dead: its jobs may be running elsewhere by now. */
    static final String RENEW = """
            with renewed as (
                update imagen.workers set heartbeat_at = now()
                 where id = ?::uuid and heartbeat_at > now() - ? * interval '1 millisecond'
                returning id)
            select exists (select from renewed) as alive,
                   array(select id || '/' || attempt from imagen.jobs
                          where status = 'running' and worker_id = ?::uuid and cancel_requested_at is not null) as cancels,
                   (select (extract(epoch from min(heartbeat_at) - now()) * 1000)::bigint + ?
                      from imagen.workers where id <> ?::uuid) as next_expiry
            """;

    static final String LEAVE = """
            delete from imagen.workers where id = ?::uuid
            """;

    static final String EXPIRE_ALL = """
            delete from imagen.workers
            """;

    private LeaseSql() {}
}
