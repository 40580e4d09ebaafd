-- What operators see of the whole queue, and do to many of its jobs at once. The functions are for the service and
-- operators alone, whoever else may execute them: may_change says of nobody's rows who those are.

-- What is in the queue now, of each backend that has jobs there, is paused by its name, or is offered by a worker; '' has
-- the pending jobs that name none. By the index of unfinished jobs: a plan that reads the table instead seems cheaper until
-- it has to be fetched, and its finished rows grow without end.
create function imagen.queue_depths()
returns table (backend text, pending bigint, scheduled bigint, running bigint, oldest_seconds double precision)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    set enable_seqscan = off set jit = off as $$
begin
    if imagen.may_change(null) is not true then
        raise exception 'permission denied for function queue_depths' using errcode = 'insufficient_privilege';
    end if;
    return query
    with unfinished as (
        select coalesce(j.backend, '') as name,
               count(*) filter (where j.status = 'pending' and j.run_at <= now()) as due,
               count(*) filter (where j.status = 'pending' and j.run_at > now()) as later,
               count(*) filter (where j.status = 'running') as busy,
               min(j.run_at) filter (where j.status = 'pending' and j.run_at <= now()) as oldest
          from imagen.jobs j
         where j.status in ('pending', 'running')
         group by 1
    ), known as (
        select u.name from unfinished u
        union select p.backend from imagen.pauses p where p.backend <> ''
        union select unnest(w.backends) from imagen.workers w
    )
    select k.name, coalesce(u.due, 0), coalesce(u.later, 0), coalesce(u.busy, 0),
           extract(epoch from now() - u.oldest)::double precision
      from known k left join unfinished u on u.name = k.name
     order by k.name;
end
$$;
revoke execute on function imagen.queue_depths() from public;
grant execute on function imagen.queue_depths() to service_role;

-- The depth over time, once a minute: nothing else remembers it. A backend that is missing in a sample had nothing then.
create table imagen.queue_samples (
    taken_at       timestamptz not null,
    backend        text not null,
    pending        bigint not null,
    running        bigint not null,
    oldest_seconds double precision,
    primary key (taken_at, backend)
);
create trigger refuse_truncate before truncate on imagen.queue_samples
    for each statement execute function imagen.refuse_truncate();

grant select, insert, delete on imagen.queue_samples to service_role;

alter table imagen.queue_samples enable row level security;
-- Only the service sees how the queue was.
create policy queue_samples_service on imagen.queue_samples to service_role using (true) with check (true);

-- When the last sample was taken, by whichever process.
alter table imagen.upkeep add column last_sample_at timestamptz not null default 'epoch';

-- What ended lately, for operators: a day of many.
create index job_attempts_ended on imagen.job_attempts (ended_at);

-- What bulk retries look for, in their order.
create index jobs_retryable on imagen.jobs (created_at, id) where status in ('failed', 'cancelled');

-- Cancels pending jobs and asks the workers of running ones to stop, as imagen.cancel_job does: those of a backend ('' is
-- of none named), an owner, a status and a time of creation, from since to before until; null: of any. Up to 1000 at a
-- time: call again until both numbers are 0. Locked in one order, so that two of these wait for each other in turn.
create function imagen.cancel_jobs(backend text default null, owner_user_id uuid default null, status text default null,
                                   since timestamptz default null, until timestamptz default null,
                                   out cancelled int, out asked int)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    picked uuid[];
begin
    if imagen.may_change(null) is not true then
        raise exception 'permission denied for function cancel_jobs' using errcode = 'insufficient_privilege';
    end if;
    picked := array(
        select j.id from imagen.jobs j
         where j.status in ('pending', 'running') and (j.status = 'pending' or j.cancel_requested_at is null)
           and (cancel_jobs.status is null or j.status = cancel_jobs.status)
           and (cancel_jobs.backend is null or coalesce(j.backend, '') = cancel_jobs.backend)
           and (cancel_jobs.owner_user_id is null or j.owner_user_id = cancel_jobs.owner_user_id)
           and (since is null or j.created_at >= since) and (until is null or j.created_at < until)
         order by j.owner_user_id, j.id limit 1000
           for update);
    with moved as (
        update imagen.jobs j
           set status = case j.status when 'pending' then 'cancelled' else j.status end,
               completed_at = case j.status when 'pending' then now() end,
               cancel_requested_at = coalesce(j.cancel_requested_at, now())
         where j.id = any (picked)
        returning j.status)
    select count(*) filter (where m.status = 'cancelled'), count(*) filter (where m.status = 'running')
      into cancelled, asked
      from moved m;
end
$$;

-- How many more jobs an owner may have pending; null: any number. Locks as long as the transaction lasts, so that of two
-- that ask the second counts what the first has committed; volatile, so that it counts after it got the lock.
create function imagen.pending_room(owner uuid) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    allowed int := (select pending_per_owner from imagen.limits);
begin
    if allowed is null then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('imagen.pending_limit ' || owner, 0));
    return allowed - (select count(*) from (select from imagen.jobs j where j.owner_user_id = owner and j.status = 'pending'
                                             limit allowed + 1) as counted);
end
$$;

-- As in V9, by pending_room.
create or replace function imagen.check_pending_limit(owners uuid[]) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    allowed int := (select pending_per_owner from imagen.limits);
    owner   uuid;
begin
    if allowed is null then
        return;
    end if;
    -- In the order of ids: two transactions with the same owners wait for each other in turn.
    for owner in select distinct unnest(owners) order by 1 loop
        if imagen.pending_room(owner) < 0 then
            raise exception 'too many pending jobs: an owner may have % at a time', allowed
                using errcode = 'PT429', hint = 'Wait until some have run, or cancel some.';
        end if;
    end loop;
end
$$;

-- As pending_room, and none where the budget is spent.
create function imagen.retry_room(owner uuid) returns int
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform imagen.check_budget(array[owner]);
    return imagen.pending_room(owner);
exception
    when sqlstate 'PT402' then return 0;
end
$$;

-- Makes failed and cancelled jobs pending again, as imagen.retry_job does, chosen as in cancel_jobs; the oldest first, up
-- to 1000 at a time. Of an owner as many as fit into the limit of pending jobs, and none where the budget is spent; who
-- had some left out is in limited. Call again with them in except_owners, until retried is 0 and limited is empty.
create function imagen.retry_jobs(backend text default null, owner_user_id uuid default null, status text default null,
                                  since timestamptz default null, until timestamptz default null,
                                  except_owners uuid[] default '{}',
                                  out retried int, out limited uuid[])
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    picked uuid[];
    fit    uuid[];
begin
    if imagen.may_change(null) is not true then
        raise exception 'permission denied for function retry_jobs' using errcode = 'insufficient_privilege';
    end if;
    picked := array(
        select j.id from imagen.jobs j
         where j.status in ('failed', 'cancelled')
           and (retry_jobs.status is null or j.status = retry_jobs.status)
           and (retry_jobs.backend is null or coalesce(j.backend, '') = retry_jobs.backend)
           and (retry_jobs.owner_user_id is null or j.owner_user_id = retry_jobs.owner_user_id)
           and (since is null or j.created_at >= since) and (until is null or j.created_at < until)
           and j.owner_user_id <> all (coalesce(except_owners, '{}'))
         order by j.created_at, j.id limit 1000
           for update);
    with line as materialized (
        select j.id, j.owner_user_id as owner,
               row_number() over (partition by j.owner_user_id order by j.created_at, j.id) as nth
          from imagen.jobs j where j.id = any (picked)
    ), owners as materialized (
        -- In the order of ids, as check_pending_limit locks them.
        select o.owner, imagen.retry_room(o.owner) as room from (select distinct l.owner from line l order by 1) as o
    )
    select coalesce(array_agg(l.id) filter (where o.room is null or l.nth <= o.room), '{}'),
           coalesce(array_agg(distinct l.owner) filter (where l.nth > o.room), '{}')
      into fit, limited
      from line l join owners o on o.owner = l.owner;
    update imagen.jobs j
       set status = 'pending', failures = 0, error = null, worker_id = null, cancel_requested_at = null,
           run_at = now(), started_at = null, completed_at = null
     where j.id = any (fit);
    get diagnostics retried = row_count;
end
$$;

revoke execute on function imagen.cancel_jobs(text, uuid, text, timestamptz, timestamptz),
    imagen.retry_jobs(text, uuid, text, timestamptz, timestamptz, uuid[]),
    imagen.pending_room(uuid), imagen.retry_room(uuid) from public;
grant execute on function imagen.cancel_jobs(text, uuid, text, timestamptz, timestamptz),
    imagen.retry_jobs(text, uuid, text, timestamptz, timestamptz, uuid[]) to service_role;
