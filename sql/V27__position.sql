-- Counts to 1,000: whoever asks often for a job far behind should not make the server read 10,000 rows each time.
create or replace function imagen.job_position(job_id uuid) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select (select count(*)
              from (select from imagen.jobs ahead
                     where ahead.status = 'pending' and coalesce(ahead.backend, '') = coalesce(job.backend, '')
                       and ahead.priority > job.priority
                    union all
                    select from imagen.jobs ahead
                     where ahead.status = 'pending' and coalesce(ahead.backend, '') = coalesce(job.backend, '')
                       and ahead.priority = job.priority and (ahead.run_at, ahead.id) <= (job.run_at, job.id)
                     limit 1000) as line)
      from imagen.jobs job
     where job.id = job_position.job_id and job.status = 'pending' and imagen.may_change(job.owner_user_id)
$$;
