package dev.imagen.queue;

/**
 * All SQL that moves a job from one state to another, one statement a move. {@code sql/V4__functions.sql} has the two
 * moves that clients make: cancel and retry.
 */
final class JobSql {

    /**
     * Offers are the backends that a worker may take more jobs of, with the number of jobs ({@code free}) and how many
     * may run at once over all processes (0: any number), without what is paused; the lane '' has the jobs that name
     * none. Lanes are their pending (name, priority) pairs, found by skipping from one to the next in the claim's
     * index. The orders name the index's first column although it is constant in a lane: without it the planner does
     * not see that the index has the order, and sorts the lane.
     */
    private static final String LANES = """
            with recursive offer as (
                select * from unnest(?::text[], ?::text[], ?::int[], ?::int[]) as o (lane, backend, free, concurrency)
                 where not exists (select from imagen.pauses p where p.backend in ('', o.backend))
            ), lane (name, backend, priority) as (
                select offer.lane, offer.backend, top.priority
                  from offer
                 cross join lateral (
                    select j.priority from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = offer.lane
                     order by coalesce(j.backend, ''), j.priority desc limit 1) as top
                union all
                select lane.name, lane.backend, lower.priority
                  from lane
                 cross join lateral (
                    select j.priority from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = lane.name
                       and j.priority < lane.priority
                     order by coalesce(j.backend, ''), j.priority desc limit 1) as lower
            )
            """;

    /** What a claim may take of each backend. In the order of names: claims that wait for each other do so in turn. */
    private static final String ROOM = """
            , room as materialized (
                select backend, case concurrency when 0 then free
                                else least(free, imagen.free_slots(backend, concurrency)) end as free
                  from (select distinct backend, free, concurrency from offer
                         where exists (select from lane where lane.backend = offer.backend)
                         order by backend) as wanted
            )
            """;

    private static final String CLAIMED = """
            , claimed as (
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

    /**
     * In each lane the due rows come first and in order, so that neither another backend's backlog nor jobs of tomorrow
     * are read, and a backend without room costs nothing. MATERIALIZED: a LIMIT that the planner ran twice would claim
     * twice.
     */
    static final String CLAIM = LANES + ROOM + """
            , head as materialized (
                select first.id, first.priority, first.run_at, room.free,
                       row_number() over (partition by room.backend
                                          order by first.priority desc, first.run_at, first.id) as nth
                  from lane
                  join room on room.backend = lane.backend
                 cross join lateral (
                    select j.id, j.priority, j.run_at from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = lane.name
                       and j.priority = lane.priority and j.run_at <= now()
                     order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id limit least(room.free, ?)
                       for update skip locked) as first
            ), due as materialized (
                select id from head where nth <= free order by priority desc, run_at, id limit ?
            )
            """ + CLAIMED;

    /** As CLAIM, where no backend has fewer slots free than the claim may take: nothing is to be counted for each. */
    static final String CLAIM_OPEN = LANES + """
            , due as materialized (
                select first.id
                  from lane
                 cross join lateral (
                    select j.id, j.priority, j.run_at from imagen.jobs j
                     where j.status = 'pending' and coalesce(j.backend, '') = lane.name
                       and j.priority = lane.priority and j.run_at <= now()
                     order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id limit ?
                       for update skip locked) as first
                 order by first.priority desc, first.run_at, first.id limit ?
            )
            """ + CLAIMED;

    /**
     * As CLAIM, but within a priority the owners take turns: from the owner that was served last ({@code start}), the
     * walk goes round the owners of each lane, a step an owner, until it has found as many with something due as the
     * claim may take. Owners that have only jobs for later are steps too, and 200 of them are enough for one claim:
     * what is left free goes to the oldest jobs, as in CLAIM. An owner gives a second job only where there are fewer
     * owners than slots.
     */
    static final String CLAIM_FAIR = LANES + ROOM
            + """
                    , walk (name, backend, priority, start, owner, leg, steps, found, due) as (
                        select lane.name, lane.backend, lane.priority, start, start, 1, 0, 0, false
                          from lane
                          join room on room.backend = lane.backend and room.free > 0
                         cross join (select ?::uuid as start) as last
                        union all
                        select walk.name, walk.backend, walk.priority, walk.start, next.owner_user_id, next.leg, walk.steps + 1,
                               walk.found + next.due::int, next.due
                          from walk
                         cross join lateral (
                            select *
                              from ((select j.owner_user_id, walk.leg, j.run_at <= now() as due from imagen.jobs j
                                      where j.status = 'pending' and coalesce(j.backend, '') = walk.name
                                        and j.priority = walk.priority and j.owner_user_id > walk.owner
                                        and j.owner_user_id <= case walk.leg when 1 then 'ffffffff-ffff-ffff-ffff-ffffffffffff'
                                                                             else walk.start end
                                      order by coalesce(j.backend, ''), j.priority desc, j.owner_user_id, j.run_at, j.id limit 1)
                                    union all
                                    (select j.owner_user_id, 2, j.run_at <= now() from imagen.jobs j
                                      where walk.leg = 1 and j.status = 'pending' and coalesce(j.backend, '') = walk.name
                                        and j.priority = walk.priority and j.owner_user_id <= walk.start
                                      order by coalesce(j.backend, ''), j.priority desc, j.owner_user_id, j.run_at, j.id limit 1)
                                   ) as either
                             order by leg limit 1) as next
                         where walk.found < ? and walk.steps < ? + 200
                    ), owners as (
                        select walk.*, room.free,
                               case when count(*) over (partition by priority) < ? then least(?, 100) else 1 end as most
                          from walk
                          join room on room.backend = walk.backend
                         where walk.due
                    ), picked as materialized (
                        select first.id, owners.backend, owners.free, owners.priority, owners.leg, owners.owner, first.run_at,
                               row_number() over (partition by owners.priority, owners.owner
                                                  order by first.run_at, first.id) as turn
                          from owners
                         cross join lateral (
                            select j.id, j.run_at from imagen.jobs j
                             where j.status = 'pending' and coalesce(j.backend, '') = owners.name
                               and j.priority = owners.priority and j.owner_user_id = owners.owner and j.run_at <= now()
                             order by coalesce(j.backend, ''), j.priority desc, j.owner_user_id, j.run_at, j.id
                             limit least(owners.free, owners.most)
                               for update skip locked) as first
                    ), oldest as materialized (
                        select first.id, room.backend, room.free, first.priority, first.run_at
                          from lane
                          join room on room.backend = lane.backend
                         cross join lateral (
                            select j.id, j.priority, j.run_at from imagen.jobs j
                             where j.status = 'pending' and coalesce(j.backend, '') = lane.name
                               and j.priority = lane.priority and j.run_at <= now()
                             order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id
                             limit case when (select count(*) from picked) < ? then least(room.free, ?) else 0 end
                               for update skip locked) as first
                    ), line as (
                        select id, backend, free, priority, turn, leg, owner, run_at from picked
                        union all
                        select id, backend, free, priority, null, null, null, run_at from oldest
                         where id not in (select id from picked)
                    ), due as materialized (
                        select id
                          from (select line.*, row_number() over (partition by backend
                                                                  order by priority desc, turn, leg, owner, run_at, id) as nth
                                  from line) as numbered
                         where nth <= free
                         order by priority desc, turn, leg, owner, run_at, id limit ?
                    )
                    """
            + CLAIMED;

    /** Zero or less where a due row is held by another claim at the moment, or its backend has no room. */
    static final String NEXT_DUE = LANES
            + """
                    select (extract(epoch from min(least(head.run_at, now() + interval '1 day')) - now()) * 1000)::bigint as millis
                      from lane
                     cross join lateral (
                        select j.run_at from imagen.jobs j
                         where j.status = 'pending' and coalesce(j.backend, '') = lane.name and j.priority = lane.priority
                         order by coalesce(j.backend, ''), j.priority desc, j.run_at, j.id limit 1) as head
                    """;

    /**
     * Goes with every way out of running: the record of the attempt, and its usage if it reached a backend (parameter 1
     * null: it did not).
     */
    private static final String ENDED = """
            , used as (
                insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, images, megapixels,
                                          duration_ms, input_tokens, output_tokens, cost_usd)
                select held.id, held.attempt, held.owner_user_id, spent.backend, spent.model, spent.outcome,
                       spent.images, spent.megapixels, spent.duration_ms, spent.input_tokens, spent.output_tokens,
                       spent.cost_usd
                  from held
                 cross join (select ?::text, ?::text, ?::text, ?::int, ?::numeric, ?::bigint, ?::bigint, ?::bigint,
                                    ?::numeric)
                    as spent (backend, model, outcome, images, megapixels, duration_ms, input_tokens, output_tokens,
                              cost_usd)
                 where spent.backend is not null
                on conflict (job_id, attempt) do nothing
            ), ended as (
                insert into imagen.job_attempts (job_id, attempt, worker_id, backend, started_at, outcome, error)
                select id, attempt, worker_id, backend, started_at, ?, ? from held
                on conflict do nothing)
            select count(*) as written from held
            """;

    /**
     * The attempt that a worker ends, while it still holds it. Of a job whose id is known the status is asked with "is
     * not distinct from": with "=" the planner may take an index of all that runs, and read it whole.
     */
    private static final String HELD = """
            select id, attempt, owner_user_id, worker_id, backend, started_at, failures, max_attempts, cancel_requested_at
              from imagen.jobs
             where id = ?::uuid and worker_id = ?::uuid and attempt = ?
               and status is not distinct from 'running'
               for update
            """;

    /**
     * Images, usage and state of one attempt or of many in one: whoever sees a job done sees its image. Each image
     * keeps what its job asked for, for the time when the job is gone.
     */
    static final String FINISH = """
            with asked as materialized (
                select * from jsonb_to_recordset(?::jsonb) as asked (
            """ + FinishRecords.COLUMNS
            + """
                         )
                    ), locked as materialized (
                        select mine.id
                          from asked
                         cross join lateral (
                            select j.id from imagen.jobs j
                             where j.id = asked.id and j.worker_id = asked.worker_id and j.attempt = asked.attempt
                               and j.status is not distinct from 'running'
                               for update) as mine
                    ), held as (
                        update imagen.jobs j
                           set status = 'done', error = null, completed_at = now(),
                               (image_id, images) = (select asked.image_ids[1], asked.image_ids from asked
                                                      where asked.id = j.id)
                         where j.id = any (array(select id from locked))
                        returning id, attempt, owner_user_id, worker_id, backend, started_at,
                                  jsonb_strip_nulls(jsonb_build_object(
                                      'prompt', prompt, 'negative_prompt', negative_prompt, 'backend', backend, 'model', model,
                                      'style', style, 'width', width, 'height', height, 'steps', steps, 'seed', seed,
                                      'count', count, 'input_image_id', input_image_id, 'strength', strength))
                                  -- what is null within params was asked for
                                  || case when params is null then '{}' else jsonb_build_object('params', params) end as request
                    ), image as (
                        insert into imagen.images (id, job_id, position, owner_user_id, bucket, path, mime_type, width, height,
                                                   byte_size, sha256, backend, model, prompt, negative_prompt, style, seed, steps,
                                                   request)
                        select i.id, held.id, i.position, held.owner_user_id, i.bucket, i.path, i.mime_type, i.width, i.height,
                               i.byte_size, decode(i.sha256, 'hex'), i.backend, i.model, i.prompt, i.negative_prompt, i.style,
                               i.seed, i.steps, held.request
                          from held
                          join asked on asked.id = held.id
                         cross join jsonb_to_recordset(asked.images) as i (
                    """
            + ImageRecords.COLUMNS
            + """
                         )
                    ), used as (
                        insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, images, megapixels,
                                                  duration_ms, input_tokens, output_tokens, cost_usd)
                        select held.id, held.attempt, held.owner_user_id, asked.used_backend, asked.used_model, 'done',
                               asked.used_images, asked.megapixels, asked.duration_ms, asked.input_tokens, asked.output_tokens,
                               asked.cost_usd
                          from held
                          join asked on asked.id = held.id
                         where asked.used_backend is not null
                        on conflict (job_id, attempt) do nothing
                    ), ended as (
                        insert into imagen.job_attempts (job_id, attempt, worker_id, backend, started_at, outcome)
                        select id, attempt, worker_id, backend, started_at, 'done' from held
                        on conflict do nothing)
                    select id from held
                    """;

    /** FINISH of the rows that no other transaction holds: one that is held keeps none of the others waiting. */
    static final String FINISH_FREE = FINISH.replace("for update)", "for update skip locked)");

    static final String FAIL = """
            with held as materialized (
            """ + HELD + """
            ), verdict as (
                select id, case when cancel_requested_at is not null then 'cancelled'
                                when ? and failures + 1 < max_attempts then 'pending'
                                else 'failed' end as status
                  from held
            ), moved as (
                update imagen.jobs j
                   set status = verdict.status, failures = j.failures + 1, error = ?,
                       run_at = case when verdict.status = 'pending' then now() + ? * interval '1 millisecond'
                                     else j.run_at end,
                       worker_id = case when verdict.status = 'pending' then null else j.worker_id end,
                       started_at = case when verdict.status = 'pending' then null else j.started_at end,
                       completed_at = case when verdict.status = 'pending' then null else now() end
                  from verdict
                 where j.id = verdict.id)
            """ + ENDED;

    static final String CANCEL = """
            with held as materialized (
            """ + HELD + """
            ), moved as (
                update imagen.jobs set status = 'cancelled', completed_at = now()
                 where id in (select id from held))
            """ + ENDED;

    /** A deploy spends no attempt: failures stays. */
    private static final String BACK = """
            update imagen.jobs
               set status = case when cancel_requested_at is null then 'pending' else 'cancelled' end,
                   completed_at = case when cancel_requested_at is null then null else now() end,
                   worker_id = case when cancel_requested_at is null then null else worker_id end,
                   started_at = case when cancel_requested_at is null then null else started_at end
             where id in (select id from held)
            """;

    static final String HAND_BACK = """
            with held as materialized (
            """ + HELD + """
            ), moved as (
            """ + BACK + ")" + ENDED;

    static final String NOW = """
            select now() as now
            """;

    /** Nothing that was claimed after the worker looked: the request may arrive after its next claim. */
    static final String HAND_BACK_UNKNOWN = """
            with held as materialized (
                select id, attempt, worker_id, backend, started_at from imagen.jobs
                 where worker_id = ?::uuid and status = 'running' and id <> all (?::uuid[])
                   and started_at <= ?::timestamptz
                   for update skip locked
            ), moved as (
            """ + BACK + """
            ), ended as (
                insert into imagen.job_attempts (job_id, attempt, worker_id, backend, started_at, outcome, error)
                select id, attempt, worker_id, backend, started_at, 'handed_back', 'the claim got no answer' from held
                on conflict do nothing)
            select count(*) as handed_back from held
            """;

    /** Whether this attempt already is what FINISH would make of it. */
    static final String FINISHED_BY_US = """
            select from imagen.jobs where id = ?::uuid and worker_id = ?::uuid and attempt = ? and status = 'done'
            """;

    /**
     * Some at a time, so that a dead worker's thousand jobs do not come back in one transaction. Who is dead is read
     * once; a row that another rescue took back meanwhile, and a live worker claimed, has another attempt by the time
     * it is locked, and is let go.
     */
    static final String RESCUE = """
            with orphan as materialized (
                select j.id, j.attempt
                  from imagen.jobs j
                 where j.status = 'running'
                   and not exists (select from imagen.workers w
                                    where w.id = j.worker_id and w.heartbeat_at > now() - ? * interval '1 millisecond')
                 limit 1000
            ), dead as materialized (
                select j.id, j.attempt, j.worker_id, j.backend, j.started_at,
                       case when j.cancel_requested_at is not null then 'cancelled'
                            when j.failures + 1 >= j.max_attempts then 'failed'
                            else 'pending' end as status,
                       format('the worker stopped during attempt %s (attempt %s of %s)', j.attempt, j.failures + 1,
                              j.max_attempts) as error
                  from orphan
                  join imagen.jobs j on j.id = orphan.id and j.attempt = orphan.attempt and j.status = 'running'
                 limit 100
                   for update of j skip locked
            ), buried as (
                delete from imagen.workers w
                 where w.heartbeat_at <= now() - ? * interval '1 millisecond'
                   and not exists (select from imagen.jobs j where j.status = 'running' and j.worker_id = w.id)
            ), swept as (
                delete from imagen.job_progress
                 where job_id = any (array(
                    select p.job_id from imagen.job_progress p
                     where not exists (select from imagen.jobs j where j.id = p.job_id and j.status = 'running')
                       for update skip locked))
            ), moved as (
                update imagen.jobs j
                   set status = dead.status, failures = j.failures + 1, error = dead.error,
                       worker_id = case when dead.status = 'pending' then null else j.worker_id end,
                       started_at = case when dead.status = 'pending' then null else j.started_at end,
                       completed_at = case when dead.status = 'pending' then null else now() end
                  from dead
                 where j.id = dead.id
            ), ended as (
                insert into imagen.job_attempts (job_id, attempt, worker_id, backend, started_at, outcome, error)
                select id, attempt, worker_id, backend, started_at, 'rescued', error from dead
                on conflict do nothing)
            select count(*) as rescued from dead
            """;

    static final String UNOFFERED = """
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
               and not exists (select from imagen.pauses p where p.backend in ('', wanted.backend))
               and not exists (select from imagen.workers w
                                where wanted.backend = any (w.backends)
                                  and w.heartbeat_at > now() - ? * interval '1 millisecond')
            """;

    static final String FAIL_UNOFFERED = """
            with lost as materialized (
                select j.id from imagen.jobs j
                 where j.status = 'pending' and coalesce(j.backend, '') = any (?::text[])
                   and j.run_at <= now() - ? * interval '1 millisecond'
                   and not exists (select from imagen.workers w
                                    where j.backend = any (w.backends)
                                      and w.heartbeat_at > now() - ? * interval '1 millisecond')
                   and not exists (select from imagen.pauses p where p.backend in ('', j.backend))
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

    /** The time of a row is that of its step, so that an estimate does not grow with each preview. */
    static final String PROGRESS = """
            insert into imagen.job_progress as p (job_id, step, steps, updated_at, preview, preview_at)
            select j.id, tick.step, tick.steps,
                   greatest(j.started_at, now() - tick.age * interval '1 millisecond'),
                   tick.preview, case when tick.preview is not null then now() end
              from unnest(?::uuid[], ?::uuid[], ?::uuid[], ?::int[], ?::int[], ?::int[], ?::bigint[], ?::bytea[])
                as tick (id, owner_user_id, worker_id, attempt, step, steps, age, preview)
              join imagen.jobs j on j.id = tick.id and j.worker_id = tick.worker_id and j.attempt = tick.attempt
                                and j.status is not distinct from 'running'
                                and j.owner_user_id is not distinct from tick.owner_user_id
            on conflict (job_id) do update
               set step = excluded.step, steps = excluded.steps, updated_at = excluded.updated_at,
                   preview = coalesce(excluded.preview, p.preview),
                   preview_at = coalesce(excluded.preview_at, p.preview_at)
            returning p.job_id, coalesce(p.previews_until > now(), false) as wanted
            """;

    private JobSql() {}
}
