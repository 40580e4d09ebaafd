-- Who may do what. anon gets nothing; nothing is left to PUBLIC.
revoke execute on all functions in schema imagen from public;
revoke all on all tables in schema imagen from public, anon;

grant usage on schema imagen to authenticated, service_role;
grant select on imagen.jobs, imagen.images, imagen.usage, imagen.job_progress to authenticated;
grant insert (id, owner_user_id, prompt, negative_prompt, backend, model, style, width, height, steps, seed,
              priority, run_at, max_attempts, idempotency_key)
    on imagen.jobs to authenticated;
grant execute on function imagen.cancel_job(uuid), imagen.retry_job(uuid), imagen.job_position(uuid)
    to authenticated, service_role;

-- BYPASSRLS gives no rights on tables, and a service_role made here has none of it: grants and policies instead.
grant select, insert, update, delete
    on imagen.jobs, imagen.images, imagen.usage, imagen.workers, imagen.job_progress to service_role;

alter table imagen.jobs enable row level security;
alter table imagen.images enable row level security;
alter table imagen.usage enable row level security;
alter table imagen.workers enable row level security;
alter table imagen.job_progress enable row level security;

-- (select auth.uid()) is computed once a statement, not once a row.

-- An owner reads their own jobs.
create policy jobs_owner_select on imagen.jobs for select to authenticated
    using (owner_user_id = (select auth.uid()));
-- An owner inserts pending jobs of their own; the column grants say the same, unless somebody granted ALL on the table.
create policy jobs_owner_insert on imagen.jobs for insert to authenticated
    with check (owner_user_id = (select auth.uid())
                and status = 'pending' and attempt = 0 and failures = 0 and version = 0 and priority <= 0
                and worker_id is null and image_id is null and error is null and cancel_requested_at is null
                and started_at is null and completed_at is null
                -- run_at is lifted to created_at: whoever chose that would jump the line after all
                and created_at = now() and updated_at = now());
-- The service reads and writes all jobs.
create policy jobs_service on imagen.jobs to service_role using (true) with check (true);

-- An owner reads their own images.
create policy images_owner_select on imagen.images for select to authenticated
    using (owner_user_id = (select auth.uid()));
-- The service reads and writes all images.
create policy images_service on imagen.images to service_role using (true) with check (true);

-- An owner reads their own usage.
create policy usage_owner_select on imagen.usage for select to authenticated
    using (owner_user_id = (select auth.uid()));
-- The service reads and writes all usage.
create policy usage_service on imagen.usage to service_role using (true) with check (true);

-- Only the service sees its workers.
create policy workers_service on imagen.workers to service_role using (true) with check (true);

-- Progress is visible through its job: the inner query obeys the policies of jobs.
create policy job_progress_owner_select on imagen.job_progress for select to authenticated
    using (exists (select from imagen.jobs j where j.id = job_id));
-- The service reads and writes all progress.
create policy job_progress_service on imagen.job_progress to service_role using (true) with check (true);
