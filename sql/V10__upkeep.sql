-- Who does the upkeep now, and when a round of it last ended: one row for all processes.
create table imagen.upkeep (
    only_row      boolean primary key default true,
    holder        uuid,
    until         timestamptz not null default 'epoch',
    last_round_at timestamptz not null default 'epoch',
    constraint upkeep_only_row check (only_row)
);
insert into imagen.upkeep default values;

grant select, update on imagen.upkeep to service_role;

alter table imagen.upkeep enable row level security;
-- Only the service sees who does the upkeep.
create policy upkeep_service on imagen.upkeep to service_role using (true) with check (true);

-- When the files of an attempt without an image were looked for; null: not yet.
alter table imagen.job_attempts add column files_checked_at timestamptz;

-- Retention of finished jobs.
create index jobs_finished_age on imagen.jobs (completed_at) where status in ('done', 'failed', 'cancelled');
-- Retention of images.
create index images_age on imagen.images (created_at) where deleted_at is null;
-- Deleted images whose file and row are still there.
create index images_deleted_age on imagen.images (bucket, deleted_at, id) where deleted_at is not null;
-- Attempts that may have left a file.
create index job_attempts_unchecked on imagen.job_attempts (ended_at, job_id, attempt)
    where outcome <> 'done' and files_checked_at is null;

-- How long a deleted image keeps its file and its row.
create function imagen.restore_time() returns interval
language sql immutable set search_path = '' as $$ select interval '5 minutes' $$;
revoke execute on function imagen.restore_time() from public;
grant execute on function imagen.restore_time() to service_role;

create function imagen.images_deleted() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.deleted_at is not null then
        update imagen.jobs set image_id = null where image_id = new.id;
    else
        update imagen.jobs set image_id = new.id where id = new.job_id and image_id is null and new.position = 0;
    end if;
    return null;
end
$$;
revoke execute on function imagen.images_deleted() from public;

-- A job names its image only while the image can be seen, whoever deletes or restores it.
create trigger images_deleted after update of deleted_at on imagen.images
    for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
    execute function imagen.images_deleted();

-- These tables grow by inserts and are seldom updated. By default they are vacuumed when they have grown by a fifth: at
-- ten million rows after two million more, all of whose pages are then read, frozen and marked visible at once. By count
-- it is the same little work at any size: 10,000 images are some 1,000 pages, 50,000 rows of the narrow tables some
-- 1,000 too, which autovacuum does in less than a second at its default pace. Rows that retention deletes are counted the
-- same way: 10,000 are ten of its batches, and a vacuum that finds so few among many pages leaves the indexes alone.
alter table imagen.images set (
    autovacuum_vacuum_insert_scale_factor = 0.0, autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);
alter table imagen.usage set (
    autovacuum_vacuum_insert_scale_factor = 0.0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);
alter table imagen.job_attempts set (
    autovacuum_vacuum_insert_scale_factor = 0.0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000);

-- The oldest transaction that is open in this database, in seconds, and how many transactions ago the oldest began of
-- those whose dead rows no vacuum may remove yet. Runs as its owner, who may see more of other logins' sessions than the
-- service may; of what the owner may not see either, xmin and xid are visible to everybody, and the time is missing.
create function imagen.oldest_transaction(out seconds double precision, out xmin_age bigint)
language sql security definer set search_path = '' as $$
    select coalesce(greatest(extract(epoch from clock_timestamp() - min(began)), 0), 0), coalesce(max(age), 0)
      from (-- Those of other databases hold back nothing here, and autovacuum holds back nobody.
            select xact_start as began, greatest(age(backend_xmin), age(backend_xid)) as age
              from pg_stat_activity
             where pid <> pg_backend_pid() and backend_type is distinct from 'autovacuum worker'
               and (datid is null or datid = (select oid from pg_database where datname = current_database()))
            union all
            select prepared, age(transaction) from pg_prepared_xacts where database = current_database()
            union all
            -- A slot's horizon is the whole server's; the catalogue's alone bloats the catalogue alone, and stops WAL too.
            select null, greatest(age(xmin), age(catalog_xmin)) from pg_replication_slots) as open
$$;
revoke execute on function imagen.oldest_transaction() from public;
grant execute on function imagen.oldest_transaction() to service_role;
