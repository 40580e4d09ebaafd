-- What an owner may spend in a month (UTC), in US dollars; null: any amount.
alter table imagen.limits add column budget_usd numeric(14, 6);
alter table imagen.limits add constraint limits_budget_usd_range check (budget_usd > 0);

-- Raises an exception where one of these owners has spent this month's budget. What runs or waits has no price yet and
-- does not count: the last jobs may go beyond it. SQLSTATE PT402 is what PostgREST answers as 402.
create function imagen.check_budget(owners uuid[]) returns void
language plpgsql stable set search_path = '' as $$
declare
    budget numeric := (select budget_usd from imagen.limits);
    month  timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    owner  uuid;
    spent  numeric;
begin
    if budget is null then
        return;
    end if;
    for owner in select distinct unnest(owners) loop
        spent := (select sum(u.cost_usd) from imagen.usage u
                   where u.owner_user_id = owner and u.created_at >= month);
        if spent >= budget then
            raise exception 'the budget is spent: % of % US dollars in this month (UTC)', round(spent, 2), round(budget, 2)
                using errcode = 'PT402', hint = 'Wait for the next month, or ask whoever runs ImaGen for more.';
        end if;
    end loop;
end
$$;
revoke execute on function imagen.check_budget(uuid[]) from public;

-- As in V13, and with the budget.
create or replace function imagen.jobs_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_relid <> 'imagen.jobs'::regclass then
        raise exception 'jobs_after_insert is a trigger of imagen.jobs alone' using errcode = 'insufficient_privilege';
    end if;
    if exists (select from imagen.limits where pending_per_owner is not null or budget_usd is not null) then
        perform imagen.check_pending_limit(pending), imagen.check_budget(pending)
           from (select array(select owner_user_id from after_rows where status = 'pending') as pending) as owners;
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

-- As in V13, and with the budget.
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
        perform imagen.check_budget(array[job.owner_user_id]);
        return job;
    end if;

    select * into job from imagen.jobs j where j.id = retry_job.job_id and imagen.may_change(j.owner_user_id);
    if not found then
        raise exception 'no such job' using errcode = 'PT404';
    end if;
    raise exception 'the job is %: only a failed or cancelled job can be retried', job.status
        using errcode = 'PT409';
end
$$;
