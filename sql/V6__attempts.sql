-- How each attempt ended. Written once, by the statement that ends the attempt.
create table imagen.job_attempts (
    job_id     uuid not null references imagen.jobs on delete cascade,
    attempt    int not null,
    worker_id  uuid,
    backend    text,
    started_at timestamptz,
    ended_at   timestamptz not null default now(),
    outcome    text not null,
    error      text,
    primary key (job_id, attempt),
    constraint job_attempts_outcome_known check (outcome in ('done', 'failed', 'cancelled', 'handed_back', 'rescued'))
);

grant select on imagen.job_attempts to authenticated;
grant select, insert, update, delete on imagen.job_attempts to service_role;

alter table imagen.job_attempts enable row level security;
-- An attempt is visible through its job: the inner query obeys the policies of jobs.
create policy job_attempts_owner_select on imagen.job_attempts for select to authenticated
    using (exists (select from imagen.jobs j where j.id = job_id));
-- The service reads and writes all attempts.
create policy job_attempts_service on imagen.job_attempts to service_role using (true) with check (true);
