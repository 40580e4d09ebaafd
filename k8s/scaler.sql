-- The login by which KEDA counts what waits and what runs, and sees nothing else. As the schema's owner, who may create roles,
-- or as a superuser; then: alter role imagen_scaler password '…'.
create role imagen_scaler login;
grant usage on schema imagen to imagen_scaler;
grant select (status, run_at) on imagen.jobs to imagen_scaler;
create policy jobs_scaler on imagen.jobs for select to imagen_scaler using (status in ('pending', 'running'));
