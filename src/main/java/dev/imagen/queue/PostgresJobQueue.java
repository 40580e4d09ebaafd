package dev.imagen.queue;

import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.job.Usage;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All SQL that moves a job from one state to another, one statement a move. {@code sql/V4__functions.sql} has the two
 * moves that clients make: cancel and retry.
 */
public final class PostgresJobQueue implements JobQueue {

    private static final String REGISTER = """
            insert into imagen.workers (id, name, backends) values (?::uuid, ?, ?::text[])
            """;

    /** A worker whose lease ran out stays dead: its jobs may be running elsewhere by now. */
    private static final String RENEW = """
            with renewed as (
                update imagen.workers set heartbeat_at = now()
                 where id = ?::uuid and heartbeat_at > now() - ? * interval '1 millisecond'
                returning id)
            select exists (select from renewed) as alive,
                   array(select id from imagen.jobs
                          where status = 'running' and worker_id = ?::uuid and cancel_requested_at is not null) as cancels
            """;

    private static final String LEAVE = """
            delete from imagen.workers where id = ?::uuid
            """;

    private static final String EXPIRE_ALL = """
            delete from imagen.workers
            """;

    /**
     * Lanes are the pending (backend, priority) pairs, found by skipping from one to the next in the claim's index. The
     * orders name the index's first column although it is constant in a lane: without it the planner does not see that
     * the index has the order, and sorts the lane.
     */
    private static final String LANES = """
            with recursive lane (backend, priority) as (
                select offered.backend, top.priority
                  from unnest(?::text[]) as offered (backend)
                 cross join lateral (
                    select j.priority from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = offered.backend
                     order by coalesce(j.backend, ''), j.priority desc limit 1) as top
                union all
                select lane.backend, lower.priority
                  from lane
                 cross join lateral (
                    select j.priority from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = lane.backend
                       and j.priority < lane.priority
                     order by coalesce(j.backend, ''), j.priority desc limit 1) as lower
            )
            """;

    /**
     * In each lane the due rows come first and in order, so that neither another backend's backlog nor jobs of tomorrow
     * are read. MATERIALIZED: a LIMIT that the planner ran twice would claim twice.
     */
    private static final String CLAIM = LANES + """
            , due as materialized (
                select head.id
                  from lane
                 cross join lateral (
                    select j.id, j.priority, j.run_at from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = lane.backend
                       and j.priority = lane.priority and j.run_at <= now()
                     order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id limit ?
                       for update skip locked) as head
                 order by head.priority desc, head.run_at, head.id
                 limit ?
            ), claimed as (
                update imagen.jobs j
                   set status = 'running', attempt = j.attempt + 1, worker_id = ?::uuid,
                       backend = coalesce(j.backend, ?), started_at = now()
                 where j.id = any (array(select due.id from due))
                   and exists (select from imagen.workers w
                                where w.id = ?::uuid and w.heartbeat_at > now() - ? * interval '1 millisecond')
                returning j.*
            )
            select * from claimed order by priority desc, run_at, id
            """;

    /** Zero or less where a due row is held by another claim at the moment. */
    private static final String NEXT_DUE = LANES
            + """
                    select (extract(epoch from min(least(head.run_at, now() + interval '1 day')) - now()) * 1000)::bigint as millis
                      from lane
                     cross join lateral (
                        select j.run_at from imagen.jobs j
                         where j.status = 'pending' and coalesce(j.backend, '') = lane.backend and j.priority = lane.priority
                         order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id limit 1) as head
                    """;

    /** Goes with every way out: the usage of an attempt that reached a backend (parameter 1 null: it did not). */
    private static final String USED = """
            , used as (
                insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, images, megapixels,
                                          duration_ms)
                select held.id, held.attempt, held.owner_user_id, spent.backend, spent.model, spent.outcome,
                       spent.images, spent.megapixels, spent.duration_ms
                  from held
                 cross join (select ?::text, ?::text, ?::text, ?::int, ?::numeric, ?::bigint)
                    as spent (backend, model, outcome, images, megapixels, duration_ms)
                 where spent.backend is not null
                on conflict (job_id, attempt) do nothing)
            select count(*) as written from held
            """;

    /** Images, usage and state in one: whoever sees the job done sees its image. */
    private static final String FINISH = """
            with held as (
                update imagen.jobs set status = 'done', image_id = ?::uuid, error = null, completed_at = now()
                 where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'running'
                returning id, attempt, owner_user_id
            ), image as (
                insert into imagen.images (id, job_id, position, owner_user_id, bucket, path, mime_type, width, height,
                                           byte_size, sha256, backend, model, prompt, negative_prompt, style, seed, steps)
                select i.id, held.id, i.position, held.owner_user_id, i.bucket, i.path, i.mime_type, i.width, i.height,
                       i.byte_size, decode(i.sha256, 'hex'), i.backend, i.model, i.prompt, i.negative_prompt, i.style,
                       i.seed, i.steps
                  from held
                 cross join jsonb_to_recordset(?::jsonb) as i (
            """
            + ImageRecords.COLUMNS + """
                         ))
                    """ + USED;

    private static final String FAIL = """
            with verdict as materialized (
                select id, case when cancel_requested_at is not null then 'cancelled'
                                when ? and failures + 1 < max_attempts then 'pending'
                                else 'failed' end as status
                  from imagen.jobs
                 where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'running'
                   for update
            ), held as (
                update imagen.jobs j
                   set status = verdict.status, failures = j.failures + 1, error = ?,
                       run_at = case when verdict.status = 'pending' then now() + ? * interval '1 millisecond'
                                     else j.run_at end,
                       worker_id = case when verdict.status = 'pending' then null else j.worker_id end,
                       started_at = case when verdict.status = 'pending' then null else j.started_at end,
                       completed_at = case when verdict.status = 'pending' then null else now() end
                  from verdict
                 where j.id = verdict.id
                returning j.id, j.attempt, j.owner_user_id)
            """ + USED;

    private static final String CANCEL = """
            with held as (
                update imagen.jobs set status = 'cancelled', completed_at = now()
                 where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'running'
                returning id, attempt, owner_user_id)
            """ + USED;

    /** A deploy spends no attempt: failures stays. */
    private static final String BACK = """
            set status = case when cancel_requested_at is null then 'pending' else 'cancelled' end,
                completed_at = case when cancel_requested_at is null then null else now() end,
                worker_id = case when cancel_requested_at is null then null else worker_id end,
                started_at = case when cancel_requested_at is null then null else started_at end
            """;

    private static final String HAND_BACK = """
            with held as (
                update imagen.jobs
            """ + BACK + """
                 where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'running'
                returning id, attempt, owner_user_id)
            """ + USED;

    private static final String HAND_BACK_UNKNOWN = """
            update imagen.jobs
            """ + BACK + """
             where id = any (array(select id from imagen.jobs
                                    where worker_id = ?::uuid and status = 'running' and id <> all (?::uuid[])
                                      for update skip locked))
            """;

    /** Whether this attempt already is what FINISH would make of it. */
    private static final String FINISHED_BY_US = """
            select from imagen.jobs where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'done'
            """;

    /** Some at a time, so that a dead worker's thousand jobs do not come back in one transaction. */
    private static final String RESCUE = """
            with dead as materialized (
                select j.id, case when j.cancel_requested_at is not null then 'cancelled'
                                  when j.failures + 1 >= j.max_attempts then 'failed'
                                  else 'pending' end as status
                  from imagen.jobs j
                 where j.status = 'running'
                   and not exists (select from imagen.workers w
                                    where w.id = j.worker_id and w.heartbeat_at > now() - ? * interval '1 millisecond')
                 limit 100
                   for update of j skip locked
            ), buried as (
                delete from imagen.workers w
                 where w.heartbeat_at <= now() - ? * interval '1 millisecond'
                   and not exists (select from imagen.jobs j where j.status = 'running' and j.worker_id = w.id)
            ), swept as (
                delete from imagen.job_progress p
                 where not exists (select from imagen.jobs j where j.id = p.job_id and j.status = 'running')
            ), rescued as (
                update imagen.jobs j
                   set status = dead.status, failures = j.failures + 1,
                       error = format('the worker stopped during attempt %s (attempt %s of %s)', j.attempt,
                                      j.failures + 1, j.max_attempts),
                       worker_id = case when dead.status = 'pending' then null else j.worker_id end,
                       started_at = case when dead.status = 'pending' then null else j.started_at end,
                       completed_at = case when dead.status = 'pending' then null else now() end
                  from dead
                 where j.id = dead.id
                returning j.id)
            select count(*) as rescued from rescued
            """;

    private static final String UNOFFERED = """
            with recursive wanted (backend) as (
                (select coalesce(backend, '') from imagen.jobs where status = 'pending'
                  order by coalesce(backend, '') limit 1)
                union all
                select (select coalesce(j.backend, '') from imagen.jobs j
                         where j.status = 'pending' and coalesce(j.backend, '') > wanted.backend
                         order by coalesce(j.backend, '') limit 1)
                  from wanted where wanted.backend is not null
            )
            select backend from wanted
             where backend <> ''
               and not exists (select from imagen.workers w
                                where wanted.backend = any (w.backends)
                                  and w.heartbeat_at > now() - ? * interval '1 millisecond')
            """;

    private static final String FAIL_UNOFFERED = """
            with lost as materialized (
                select j.id from imagen.jobs j
                 where j.status = 'pending' and coalesce(j.backend, '') = any (?::text[])
                   and j.run_at <= now() - ? * interval '1 millisecond'
                   and not exists (select from imagen.workers w
                                    where j.backend = any (w.backends)
                                      and w.heartbeat_at > now() - ? * interval '1 millisecond')
                 limit 1000
                   for update of j skip locked)
            update imagen.jobs j
               set status = 'failed', completed_at = now(),
                   error = format('no live worker offers backend "%s": start one that does, or ask for one of: %s',
                                  j.backend, (select string_agg(distinct b, ', ')
                                                from imagen.workers w cross join unnest(w.backends) as b
                                               where w.heartbeat_at > now() - ? * interval '1 millisecond'))
              from lost
             where j.id = lost.id
            """;

    private static final String PROGRESS = """
            insert into imagen.job_progress (job_id, step, steps)
            select j.id, tick.step, tick.steps
              from unnest(?::uuid[], ?::uuid[], ?::int[], ?::int[], ?::int[]) as tick (id, worker_id, attempt, step, steps)
              join imagen.jobs j on j.id = tick.id and j.worker_id = tick.worker_id and j.attempt = tick.attempt
                                and j.status = 'running'
            on conflict (job_id) do update set step = excluded.step, steps = excluded.steps, updated_at = now()
            """;

    private final Database database;
    private final long lease;
    private final long unknown;
    private final Backoff backoff;

    /** A queue whose workers are dead {@code settings.lease()} after their last heartbeat. */
    public PostgresJobQueue(Database database, WorkerSettings settings) {
        this.database = database;
        this.lease = settings.lease().toMillis();
        this.unknown = settings.unknown().toMillis();
        this.backoff = new Backoff(settings.backoff());
    }

    /** Declares every worker dead: for the embedded server, whose locked folder proves that no other process lives. */
    public void expireAll() {
        database.update(EXPIRE_ALL);
    }

    @Override
    public void register(WorkerIdentity worker) {
        database.update(REGISTER, worker.id(), worker.name(), worker.backends().toArray(String[]::new));
    }

    @Override
    public Renewal renew(UUID worker) {
        return database.one(RENEW, row -> new Renewal(row.flag("alive"), Set.copyOf(row.list("cancels", UUID.class))),
                worker, lease, worker).orElseThrow();
    }

    @Override
    public void leave(UUID worker) {
        database.update(LEAVE, worker);
    }

    @Override
    public List<Job> claim(WorkerIdentity worker, int limit) {
        return database.query(CLAIM, JobRows::job, lanes(worker), limit, limit, worker.id(), worker.defaultBackend(),
                worker.id(), lease);
    }

    @Override
    public Optional<Duration> untilNextDue(WorkerIdentity worker) {
        return database.one(NEXT_DUE, row -> row.optionalWhole("millis"), (Object) lanes(worker))
                .flatMap(millis -> millis).map(millis -> Duration.ofMillis(Math.max(0, millis)));
    }

    /** Jobs that name no backend are in the lane of the empty name. */
    private static String[] lanes(WorkerIdentity worker) {
        return Stream.concat(Stream.of(""), worker.backends().stream()).toArray(String[]::new);
    }

    @Override
    public Settled settle(Job job, Outcome outcome) {
        return switch (outcome) {
            case Outcome.Done done -> finishOrFail(job, done);
            case Outcome.Failed failed -> fail(job, failed);
            case Outcome.Cancelled cancelled -> leaveRunning(CANCEL, job, cancelled.usage(), "cancelled");
            case Outcome.HandedBack back -> leaveRunning(HAND_BACK, job, back.usage(), "handed_back");
        };
    }

    /** An image row that the server refuses would be refused for ever: the job fails, and its files are not kept. */
    private Settled finishOrFail(Job job, Outcome.Done done) {
        try {
            return finish(job, done);
        } catch (DatabaseException e) {
            if (!e.refused()) {
                throw e;
            }
            fail(job, new Outcome.Failed("the image could not be recorded: " + e.serverMessage(), false,
                    Optional.empty(), done.usage()));
            return Settled.REFUSED;
        }
    }

    private Settled finish(Job job, Outcome.Done done) {
        var written = settle(FINISH, done.usage(), "done", done.images().getFirst().id(), job.id(), worker(job),
                job.attempt(), ImageRecords.json(done.images()));
        if (written == Settled.REFUSED
                && database.one(FINISHED_BY_US, _ -> true, job.id(), worker(job), job.attempt()).isPresent()) {
            return Settled.WRITTEN;
        }
        return written;
    }

    private Settled fail(Job job, Outcome.Failed failed) {
        int failure = job.failures() + 1;
        int limit = job.request().maxAttempts();
        // PostgreSQL has no NUL in text, and a terminal row must always be writable.
        var message = failed.error().replace("\0", "");
        return settle(FAIL, failed.usage(), "failed", failed.retryable(), job.id(), worker(job), job.attempt(),
                failed.retryable() ? message + " (attempt " + failure + " of " + limit + ")" : message,
                backoff.before(failure + 1, failed.retryAfter()).toMillis());
    }

    private Settled leaveRunning(String sql, Job job, Optional<Usage> usage, String outcome) {
        return settle(sql, usage, outcome, job.id(), worker(job), job.attempt());
    }

    private Settled settle(String sql, Optional<Usage> usage, String outcome, Object... parameters) {
        var spent = usage.map(
                u -> new Object[]{u.backend(), u.model(), outcome, u.images(), u.megapixels(), u.duration().toMillis()})
                .orElseGet(() -> new Object[6]);
        long written = database
                .one(sql, row -> row.whole("written"), Stream.concat(Stream.of(parameters), Stream.of(spent)).toArray())
                .orElse(0L);
        return written > 0 ? Settled.WRITTEN : Settled.REFUSED;
    }

    private static UUID worker(Job job) {
        return job.workerId().orElseThrow();
    }

    @Override
    public void progress(Collection<ProgressTick> ticks) {
        database.update(PROGRESS, column(ticks, tick -> tick.job().id()), column(ticks, tick -> worker(tick.job())),
                column(ticks, tick -> tick.job().attempt()), column(ticks, ProgressTick::step),
                column(ticks, ProgressTick::steps));
    }

    private static <T> String[] column(Collection<T> rows, Function<T, Object> value) {
        return rows.stream().map(value).map(String::valueOf).toArray(String[]::new);
    }

    @Override
    public int rescue() {
        return database.one(RESCUE, row -> row.integer("rescued"), lease, lease).orElse(0);
    }

    @Override
    public int handBackUnknown(UUID worker, Collection<UUID> known) {
        return (int) database.update(HAND_BACK_UNKNOWN, worker, column(known, id -> id));
    }

    @Override
    public Set<String> unoffered() {
        return database.query(UNOFFERED, row -> row.text("backend"), lease).stream().collect(Collectors.toSet());
    }

    @Override
    public int failUnoffered(Set<String> backends) {
        return (int) database.update(FAIL_UNOFFERED, backends.toArray(String[]::new), unknown, lease, lease);
    }
}
