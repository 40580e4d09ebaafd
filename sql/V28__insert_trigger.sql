-- Few ids go into one notification as they are: a window and a group for one row cost a tenth of its insert.
create or replace function imagen.jobs_after_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    inserted bigint;
    waiting  boolean;
begin
    if tg_relid <> 'imagen.jobs'::regclass then
        raise exception 'jobs_after_insert is a trigger of imagen.jobs alone' using errcode = 'insufficient_privilege';
    end if;
    if exists (select from imagen.limits where pending_per_owner is not null or budget_usd is not null) then
        perform imagen.check_pending_limit(pending), imagen.check_budget(pending)
           from (select array(select owner_user_id from after_rows where status = 'pending') as pending) as owners;
    end if;
    select count(*), bool_or(status = 'pending') into inserted, waiting from after_rows;
    if waiting then
        perform pg_notify('imagen_jobs', '');
    end if;
    if inserted between 1 and 200 then
        perform pg_notify('imagen_job_events', string_agg(id::text, ',')) from after_rows;
    else
        perform pg_notify('imagen_job_events', string_agg(id::text, ','))
           from (select id, (row_number() over () - 1) / 200 as part from after_rows) as numbered
          group by part;
    end if;
    return null;
end
$$;
