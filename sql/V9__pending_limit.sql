-- One row: how many pending jobs an owner may have; null: any number.
create table imagen.limits (
    only_row          boolean primary key default true,
    pending_per_owner int,
    constraint limits_only_row check (only_row),
    constraint limits_pending_per_owner_range check (pending_per_owner > 0)
);
insert into imagen.limits default values;

grant select, update on imagen.limits to service_role;

alter table imagen.limits enable row level security;
-- The service reads and sets it.
create policy limits_service on imagen.limits to service_role using (true) with check (true);

-- Raises an exception where one of these owners now has more pending jobs than the limit. The lock lasts until the
-- transaction ends, so that of two that insert at once the second counts what the first has committed; volatile, so that
-- it counts after it got the lock. In a transaction of a stricter isolation than read committed the count is that of its
-- beginning. SQLSTATE PT429 is what PostgREST answers as 429.
create function imagen.check_pending_limit(owners uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
    allowed int := (select pending_per_owner from imagen.limits);
    owner   uuid;
begin
    if allowed is null then
        return;
    end if;
    -- In the order of ids: two transactions with the same owners wait for each other in turn.
    for owner in select distinct unnest(owners) order by 1 loop
        perform pg_advisory_xact_lock(hashtextextended('imagen.pending_limit ' || owner, 0));
        if (select count(*) from (select from imagen.jobs j where j.owner_user_id = owner and j.status = 'pending'
                                   limit allowed + 1) as counted) > allowed then
            raise exception 'too many pending jobs: an owner may have % at a time', allowed
                using errcode = 'PT429', hint = 'Wait until some have run, or cancel some.';
        end if;
    end loop;
end
$$;

-- As in V3, and with the limit: checked before anyone is told of the rows. Runs as its owner, so that clients need no
-- right to the check, which locks and tells of whichever owner it is asked about.
create or replace function imagen.jobs_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from imagen.limits where pending_per_owner is not null) then
        perform imagen.check_pending_limit(array(select owner_user_id from after_rows where status = 'pending'));
    end if;
    if exists (select from after_rows where status = 'pending') then
        perform pg_notify('imagen_jobs', '');
    end if;
    perform pg_notify('imagen_job_events', string_agg(id::text, ','))
       from (select id, (row_number() over () - 1) / 200 as part from after_rows) as numbered
      group by part;
    return null;
end
$$;

-- As in V4, and with the limit: a job that is made pending again is one more.
create or replace function imagen.retry_job(job_id uuid) returns imagen.jobs
language plpgsql security definer set search_path = '' as $$
declare
    job imagen.jobs;
begin
    update imagen.jobs j
       set status = 'pending', failures = 0, error = null, worker_id = null, cancel_requested_at = null,
           run_at = now(), started_at = null, completed_at = null
     where j.id = retry_job.job_id and j.status in ('failed', 'cancelled') and imagen.may_change(j.owner_user_id)
    returning * into job;
    if found then
        perform imagen.check_pending_limit(array[job.owner_user_id]);
        return job;
    end if;

    select * into job from imagen.jobs j where j.id = retry_job.job_id and imagen.may_change(j.owner_user_id);
    if not found then
        raise exception 'no such job' using errcode = 'no_data_found';
    end if;
    raise exception 'the job is %: only a failed or cancelled job can be retried', job.status
        using errcode = 'object_not_in_prerequisite_state';
end
$$;

revoke execute on function imagen.check_pending_limit(uuid[]) from public;
