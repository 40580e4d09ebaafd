-- Whether the caller may change jobs of this owner. Runs inside SECURITY DEFINER functions, where current_user is the
-- functions' owner: the role setting still names the role that the caller took by SET ROLE.
create function imagen.may_change(owner uuid) returns boolean
language plpgsql stable set search_path = '' as $$
declare
    caller name := coalesce(nullif(current_setting('role', true), 'none'), session_user);
    schema_owner name := (select pg_get_userbyid(nspowner) from pg_catalog.pg_namespace where nspname = 'imagen');
begin
    if caller = 'service_role' then
        return true;
    end if;
    if auth.jwt() is not null or auth.uid() is not null then
        return owner = auth.uid();
    end if;
    -- Without claims: an operator in psql.
    return pg_catalog.pg_has_role(caller, schema_owner, 'USAGE') or pg_catalog.pg_has_role(caller, 'service_role', 'USAGE');
end
$$;

-- Cancels a pending job; asks the worker of a running one to stop; leaves a finished one as it is. Returns the row.
create function imagen.cancel_job(job_id uuid) returns imagen.jobs
language plpgsql security definer set search_path = '' as $$
declare
    job imagen.jobs;
begin
    update imagen.jobs j
       set status = case j.status when 'pending' then 'cancelled' else j.status end,
           completed_at = case j.status when 'pending' then now() end,
           cancel_requested_at = coalesce(j.cancel_requested_at, now())
     where j.id = cancel_job.job_id and j.status in ('pending', 'running') and imagen.may_change(j.owner_user_id)
    returning * into job;
    if found then
        return job;
    end if;

    select * into job from imagen.jobs j where j.id = cancel_job.job_id and imagen.may_change(j.owner_user_id);
    if not found then
        raise exception 'no such job' using errcode = 'no_data_found';
    end if;
    return job;
end
$$;

-- Makes a failed or cancelled job pending again with all its attempts; attempt itself never falls: fences depend on it.
create function imagen.retry_job(job_id uuid) returns imagen.jobs
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

-- How many pending jobs of the same backend are claimed before this one, plus one; null unless it is pending.
-- Two ranges of the claim's index, and at most 10,000 rows of it. Runs as its owner because a place in line depends on
-- other owners' jobs too.
create function imagen.job_position(job_id uuid) returns bigint
language sql stable security definer set search_path = '' as $$
    select (select count(*)
              from (select from imagen.jobs ahead
                     where ahead.status = 'pending' and coalesce(ahead.backend, '') = coalesce(job.backend, '')
                       and ahead.priority > job.priority
                    union all
                    select from imagen.jobs ahead
                     where ahead.status = 'pending' and coalesce(ahead.backend, '') = coalesce(job.backend, '')
                       and ahead.priority = job.priority and (ahead.run_at, ahead.id) <= (job.run_at, job.id)
                     limit 10000) as line)
      from imagen.jobs job
     where job.id = job_position.job_id and job.status = 'pending' and imagen.may_change(job.owner_user_id)
$$;
