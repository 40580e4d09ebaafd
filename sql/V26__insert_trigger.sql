-- The ids are gathered once, as those of an update are: a window and a group for one row cost a tenth of its insert.
create or replace function imagen.jobs_after_insert() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    inserted uuid[];
    waiting  boolean;
begin
    if tg_relid <> 'imagen.jobs'::regclass then
        raise exception 'jobs_after_insert is a trigger of imagen.jobs alone' using errcode = 'insufficient_privilege';
    end if;
    if exists (select from imagen.limits where pending_per_owner is not null or budget_usd is not null) then
        perform imagen.check_pending_limit(pending), imagen.check_budget(pending)
           from (select array(select owner_user_id from after_rows where status = 'pending') as pending) as owners;
    end if;
    select array_agg(id), bool_or(status = 'pending') into inserted, waiting from after_rows;
    if waiting then
        perform pg_notify('imagen_jobs', '');
    end if;
    for part in 1 .. coalesce(cardinality(inserted), 0) by 200 loop
        perform pg_notify('imagen_job_events', array_to_string(inserted[part:part + 199], ','));
    end loop;
    return null;
end
$$;
