-- The login by which KEDA counts what waits and what runs, and sees nothing else. In the service's database, as a superuser;
-- then: alter role imagen_scaler password '…'.
create role imagen_scaler login;
do $$ begin execute format('grant connect on database %I to imagen_scaler', current_database()); end $$;
grant usage on schema imagen to imagen_scaler;
grant select (status, run_at) on imagen.jobs to imagen_scaler;
create policy jobs_scaler on imagen.jobs for select to imagen_scaler using (status in ('pending', 'running'));
