-- Runs for every INSERT of a job.
create function imagen.jobs_before_insert() returns trigger
language plpgsql set search_path = '' as $$
begin
    -- Nobody jumps the line with a run_at of 1970.
    new.run_at := greatest(coalesce(new.run_at, new.created_at), new.created_at);
    -- The REST API says in this setting, local to its transaction, what the request was; no client column can.
    if nullif(current_setting('imagen.request_hash', true), '') is not null then
        new.request_hash := decode(current_setting('imagen.request_hash', true), 'hex');
    end if;
    return new;
end
$$;

-- Lifts run_at and records the request's hash.
create trigger jobs_before_insert before insert on imagen.jobs
    for each row execute function imagen.jobs_before_insert();

create function imagen.jobs_version() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end
$$;

-- The version is the event id of the status stream: it rises with whatever a watcher sees change.
create trigger jobs_version before update on imagen.jobs
    for each row
    when ((old.status, old.attempt, old.error, old.cancel_requested_at)
          is distinct from (new.status, new.attempt, new.error, new.cancel_requested_at))
    execute function imagen.jobs_version();

-- Payloads hold ids only (every database user can listen), 200 of them are 7,399 bytes (the limit is 7,999).
-- NOTIFY takes one lock for the whole server at commit: hence one trigger a statement, not one a row.
create function imagen.jobs_after_insert() returns trigger
language plpgsql set search_path = '' as $$
begin
    if exists (select from after_rows where status = 'pending') then
        perform pg_notify('imagen_jobs', '');
    end if;
    perform pg_notify('imagen_job_events', string_agg(id::text, ','))
       from (select id, (row_number() over () - 1) / 200 as part from after_rows) as numbered
      group by part;
    return null;
end
$$;

-- Wakes the workers, and tells watchers of the new rows.
create trigger jobs_after_insert after insert on imagen.jobs
    referencing new table as after_rows
    for each statement execute function imagen.jobs_after_insert();

create function imagen.jobs_after_update() returns trigger
language plpgsql set search_path = '' as $$
declare
    requeued boolean;
    changed  uuid[];
    stopping uuid[];
begin
    select bool_or(a.status = 'pending' and b.status <> 'pending'),
           array_agg(a.id) filter (where a.version > b.version),
           array_agg(a.id) filter (where a.status = 'running' and a.cancel_requested_at is not null
                                     and b.cancel_requested_at is null)
      into requeued, changed, stopping
      from after_rows a join before_rows b on b.id = a.id;

    if requeued then
        perform pg_notify('imagen_jobs', '');
    end if;
    for part in 1 .. coalesce(cardinality(changed), 0) by 200 loop
        perform pg_notify('imagen_job_events', array_to_string(changed[part:part + 199], ','));
    end loop;
    for part in 1 .. coalesce(cardinality(stopping), 0) by 200 loop
        perform pg_notify('imagen_job_cancels', array_to_string(stopping[part:part + 199], ','));
    end loop;
    return null;
end
$$;

-- Tells watchers what changed, workers what became pending, and the running worker whom to stop.
create trigger jobs_after_update after update on imagen.jobs
    referencing old table as before_rows new table as after_rows
    for each statement execute function imagen.jobs_after_update();
