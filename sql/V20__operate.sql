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
