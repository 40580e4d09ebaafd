-- What must hold even where somebody has granted ALL on this schema, as a guide to custom schemas does, and what
-- PostgREST makes of the functions' errors.

-- No policy stands before TRUNCATE: only a trigger does. A table that comes later needs it too. Flyway's own table gets it
-- where it gets its row-level security, after the migrations: Flyway writes to it during each.
create function imagen.refuse_truncate() returns trigger
language plpgsql set search_path = '' as $$
declare
    table_owner oid := (select relowner from pg_catalog.pg_class where oid = tg_relid);
begin
    if not pg_catalog.pg_has_role(current_user, table_owner, 'USAGE') then
        raise exception 'permission denied for table %: only its owner truncates it', tg_table_name
            using errcode = 'insufficient_privilege';
    end if;
    return null;
end
$$;
revoke execute on function imagen.refuse_truncate() from public;

do $$
declare
    wanted regclass;
begin
    for wanted in select oid from pg_catalog.pg_class
                   where relnamespace = 'imagen'::regnamespace and relkind in ('r', 'p')
                     and relname <> 'flyway_schema_history' order by oid loop
        execute format('create trigger refuse_truncate before truncate on %s'
                       ' for each statement execute function imagen.refuse_truncate()', wanted);
    end loop;
end
$$;

-- No policy stands before a sequence either: whoever may set it back lets every later insert fail.
alter table imagen.usage alter column id drop identity;
alter table imagen.usage alter column id type uuid using gen_random_uuid();
alter table imagen.usage alter column id set default gen_random_uuid();

-- As in V9, and of jobs only: as the trigger of a table of their own, whose columns have types of their own, whoever may
-- execute it would run what they like as this function's owner.
create or replace function imagen.jobs_after_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_relid <> 'imagen.jobs'::regclass then
        raise exception 'jobs_after_insert is a trigger of imagen.jobs alone' using errcode = 'insufficient_privilege';
    end if;
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

-- As in V10, and for the service and operators alone, whoever else may execute it: may_change says of nobody's rows who
-- those are.
create or replace function imagen.oldest_transaction(out seconds double precision, out xmin_age bigint)
language plpgsql security definer set search_path = '' as $$
begin
    if imagen.may_change(null) is not true then
        raise exception 'permission denied for function oldest_transaction' using errcode = 'insufficient_privilege';
    end if;
    select coalesce(greatest(extract(epoch from clock_timestamp() - min(began)), 0), 0), coalesce(max(age), 0)
      into seconds, xmin_age
      from (-- Those of other databases hold back nothing here, and autovacuum holds back nobody.
            select xact_start as began, greatest(age(backend_xmin), age(backend_xid)) as age
              from pg_stat_activity
             where pid <> pg_backend_pid() and backend_type is distinct from 'autovacuum worker'
               and (datid is null or datid = (select oid from pg_database where datname = current_database()))
            union all
            select prepared, age(transaction) from pg_prepared_xacts where database = current_database()
            union all
            -- A slot's horizon is the whole server's; the catalogue's alone bloats the catalogue alone, and stops WAL too.
            select null, greatest(age(xmin), age(catalog_xmin)) from pg_replication_slots) as open;
end
$$;

-- As before, with SQLSTATEs that PostgREST answers as 404 and 409: what it knows as no_data_found and
-- object_not_in_prerequisite_state are 500 to it.
create or replace function imagen.cancel_job(job_id uuid) returns imagen.jobs
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
        raise exception 'no such job' using errcode = 'PT404';
    end if;
    return job;
end
$$;

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
        raise exception 'no such job' using errcode = 'PT404';
    end if;
    raise exception 'the job is %: only a failed or cancelled job can be retried', job.status
        using errcode = 'PT409';
end
$$;

create or replace function imagen.changeable_image(image_id uuid) returns imagen.images
language plpgsql set search_path = '' as $$
declare
    image imagen.images;
begin
    perform from imagen.jobs j
      where j.id = (select i.job_id from imagen.images i
                     where i.id = changeable_image.image_id and imagen.may_change(i.owner_user_id))
        for no key update;
    select * into image from imagen.images i
     where i.id = changeable_image.image_id and imagen.may_change(i.owner_user_id)
       for update;
    if not found then
        raise exception 'no such image' using errcode = 'PT404';
    end if;
    return image;
end
$$;

create or replace function imagen.restore_image(image_id uuid) returns imagen.images
language plpgsql security definer set search_path = '' as $$
declare
    image imagen.images := imagen.changeable_image(image_id);
begin
    if image.removing_at is not null or image.deleted_at < clock_timestamp() - imagen.restore_time() then
        raise exception 'the image was deleted more than % minutes ago: it cannot be restored any more',
            pg_catalog.round(extract(epoch from imagen.restore_time()) / 60)
            using errcode = 'PT409';
    end if;
    if image.deleted_at is not null then
        update imagen.images i set deleted_at = null where i.id = image.id returning * into image;
    end if;
    return image;
end
$$;
