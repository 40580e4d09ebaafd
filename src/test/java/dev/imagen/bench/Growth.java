package dev.imagen.bench;

/** What the tables hold before a measurement. */
enum Growth {

    /** Nothing: what the others are compared with. */
    EMPTY(""),

    /** A million jobs that are done, with image, usage and attempt. */
    FINISHED(
            """
                    set session_replication_role = replica;
                    insert into imagen.jobs (id, owner_user_id, prompt, status, attempt, version, backend, image_id, created_at,
                                             updated_at, run_at, started_at, completed_at)
                    select uuidv7(at - now()), md5((i %% 100)::text)::uuid, 'a quiet bay', 'done', 1, 2, 'mock', uuidv7(at - now()), at, at, at, at, at
                      from generate_series(1, %1$d) as i, lateral (select now() - random() * interval '20 days' as at) as ended;
                    insert into imagen.images (id, job_id, owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                               backend, model, prompt, created_at)
                    select image_id, id, owner_user_id, 'file', id || '-1.png', 'image/png', 512, 512, 1000,
                           decode(repeat('00', 32), 'hex'), 'mock', 'mock', prompt, completed_at
                      from imagen.jobs;
                    insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, images, megapixels,
                                              duration_ms, created_at)
                    select id, 1, owner_user_id, 'mock', 'mock', 'done', 1, 0.262144, 1, completed_at from imagen.jobs;
                    insert into imagen.job_attempts (job_id, attempt, backend, started_at, ended_at, outcome)
                    select id, 1, 'mock', started_at, completed_at, 'done' from imagen.jobs;
                    """),

    /** As many jobs that are due as are drained first, times ten. */
    PENDING("""
            insert into imagen.jobs (owner_user_id, prompt)
            select '00000000-0000-4000-8000-000000000001', 'a quiet bay' from generate_series(1, %2$d);
            """),

    /** 100,000 jobs for tomorrow. */
    SCHEDULED("""
            insert into imagen.jobs (owner_user_id, prompt, run_at)
            select '00000000-0000-4000-8000-000000000001', 'a quiet bay', now() + interval '1 day'
              from generate_series(1, 100000);
            """),

    /** 100,000 jobs for tomorrow, of a higher priority than what is due now. */
    TOMORROW("""
            insert into imagen.jobs (owner_user_id, prompt, priority, run_at)
            select '00000000-0000-4000-8000-000000000001', 'a quiet bay', 50, now() + interval '1 day'
              from generate_series(1, 100000);
            """),

    /** 100,000 older jobs of a backend all of whose slots are taken. */
    SATURATED("""
            insert into imagen.workers (id, name, backends, heartbeat_at)
            values ('22222222-2222-4222-8222-222222222222', 'another worker', '{busy}', now() + interval '1 day');
            insert into imagen.jobs (owner_user_id, prompt, backend, run_at)
            select '00000000-0000-4000-8000-000000000001', 'a quiet bay', 'busy', now() from generate_series(1, 100001);
            update imagen.jobs set status = 'running', attempt = 1, started_at = now(),
                                   worker_id = '22222222-2222-4222-8222-222222222222'
             where id = (select id from imagen.jobs limit 1);
            """),

    /** Nothing, with owners taking turns: what the next one is compared with. */
    FAIR(""),

    /** Ten times what is drained first, of 10,000 owners who take turns. */
    OWNERS("""
            insert into imagen.jobs (owner_user_id, prompt)
            select md5((i %% 10000)::text)::uuid, 'a quiet bay' from generate_series(1, %2$d) as i;
            """);

    private final String sql;

    Growth(String sql) {
        this.sql = sql;
    }

    /**
     * @param finished jobs of {@link #FINISHED}
     * @param pending jobs of {@link #PENDING} and {@link #OWNERS}
     */
    String sql(int finished, int pending) {
        return sql.formatted(finished, pending);
    }

    /** Settings of the service. */
    String settings() {
        return switch (this) {
            case SATURATED ->
                "backends.busy.kind=automatic1111,backends.busy.url=http://127.0.0.1:9,backends.busy.concurrency=1";
            case FAIR, OWNERS -> "queue.order=fair";
            default -> "";
        };
    }

    /** Whether what is drained is there already. */
    boolean drainsItself() {
        return this == PENDING || this == OWNERS;
    }

    /** The one that differs in nothing but what the tables hold. */
    Growth comparedWith() {
        return this == OWNERS || this == FAIR ? FAIR : EMPTY;
    }

    /** In samples. */
    String phase() {
        return this == EMPTY ? "fresh" : name().toLowerCase();
    }
}
