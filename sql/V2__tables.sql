-- One row is one picture to make. PostgreSQL is the queue, the record and the guard.
create table imagen.jobs (
    id                  uuid primary key default gen_random_uuid(),
    owner_user_id       uuid not null default auth.uid(),
    prompt              text not null,
    negative_prompt     text,
    backend             text,
    model               text,
    style               text,
    width               int,
    height              int,
    steps               int,
    seed                bigint,
    priority            smallint not null default 0,
    run_at              timestamptz not null default now(),
    max_attempts        smallint not null default 3,
    idempotency_key     text,
    request_hash        bytea,
    status              text not null default 'pending',
    attempt             int not null default 0,
    failures            smallint not null default 0,
    worker_id           uuid,
    error               text,
    image_id            uuid,
    cancel_requested_at timestamptz,
    version             bigint not null default 0,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    started_at          timestamptz,
    completed_at        timestamptz,

    constraint jobs_prompt_length check (char_length(prompt) between 1 and 32000),
    constraint jobs_prompt_not_blank check (prompt ~ '[^[:space:]]'),
    constraint jobs_negative_prompt_length check (char_length(negative_prompt) <= 32000),
    constraint jobs_backend_length check (char_length(backend) between 1 and 200),
    constraint jobs_model_length check (char_length(model) between 1 and 200),
    constraint jobs_style_length check (char_length(style) between 1 and 200),
    constraint jobs_width_range check (width between 16 and 8192),
    constraint jobs_height_range check (height between 16 and 8192),
    constraint jobs_steps_range check (steps between 1 and 10000),
    -- 2^53 - 1: the largest integer that every JSON reader keeps exact
    constraint jobs_seed_range check (seed between 0 and 9007199254740991),
    -- each priority in use is a step of every claim
    constraint jobs_priority_range check (priority between -100 and 100),
    -- no arithmetic of the queue's could take infinity
    constraint jobs_run_at_finite check (isfinite(run_at)),
    constraint jobs_max_attempts_range check (max_attempts between 1 and 25),
    constraint jobs_idempotency_key_length check (char_length(idempotency_key) between 1 and 255),
    constraint jobs_status_known check (status in ('pending', 'running', 'done', 'failed', 'cancelled'))
) with (
    -- A queue's rows die young: vacuum by count, not by a share of all finished rows.
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000,
    autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 5000
);

create table imagen.images (
    id              uuid primary key default gen_random_uuid(),
    job_id          uuid references imagen.jobs on delete set null,
    position        smallint not null default 0,
    owner_user_id   uuid not null,
    bucket          text not null,
    path            text not null,
    mime_type       text not null,
    width           int not null,
    height          int not null,
    byte_size       bigint not null,
    sha256          bytea not null,
    backend         text not null,
    model           text not null,
    prompt          text not null,
    negative_prompt text,
    style           text,
    seed            bigint,
    steps           int,
    created_at      timestamptz not null default now(),
    deleted_at      timestamptz,
    constraint images_job_position unique (job_id, position)
);

alter table imagen.jobs
    add constraint jobs_image_id_fkey foreign key (image_id) references imagen.images on delete set null;

-- What an attempt cost, whether or not a picture came of it.
create table imagen.usage (
    id            bigint generated always as identity primary key,
    job_id        uuid references imagen.jobs on delete set null,
    attempt       int not null default 0,
    owner_user_id uuid not null,
    backend       text not null,
    model         text not null,
    outcome       text not null,
    images        int not null default 0,
    megapixels    numeric(12, 6) not null default 0,
    input_tokens  bigint,
    output_tokens bigint,
    cost_usd      numeric(14, 6),
    duration_ms   bigint not null,
    created_at    timestamptz not null default now(),
    constraint usage_job_attempt unique (job_id, attempt),
    constraint usage_outcome_known check (outcome in ('done', 'failed', 'cancelled', 'handed_back'))
);

-- One row a living process; its heartbeat is the lease on every job it runs.
create table imagen.workers (
    id           uuid primary key,
    name         text not null,
    backends     text[] not null,
    started_at   timestamptz not null default now(),
    heartbeat_at timestamptz not null default now()
) with (
    -- Room on the page keeps every heartbeat a HOT update.
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 200
);

-- Apart from jobs, and unlogged: ticks are frequent, narrow and worth nothing after a crash.
create unlogged table imagen.job_progress (
    job_id     uuid primary key references imagen.jobs on delete cascade,
    step       int not null,
    steps      int not null,
    preview    bytea,
    updated_at timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 200);

-- The claim's own: pending rows only, in the exact order of the claim, one lane for each backend ('' is any worker's default).
create index jobs_claim on imagen.jobs (coalesce(backend, ''), priority desc, run_at, id) where status = 'pending';
-- GET /jobs: an owner's jobs, newest first.
create index jobs_owner_newest on imagen.jobs (owner_user_id, created_at desc, id desc);
-- GET /jobs/events at its opening: what an owner is still waiting for.
create index jobs_owner_unfinished on imagen.jobs (owner_user_id, id) where status in ('pending', 'running');
-- GET /jobs/events after a reconnect: what finished for an owner meanwhile.
create index jobs_owner_finished on imagen.jobs (owner_user_id, updated_at, id)
    where status in ('done', 'failed', 'cancelled');
-- Idempotency-Key: one job for each key of an owner.
create unique index jobs_idempotency_key on imagen.jobs (owner_user_id, idempotency_key) where idempotency_key is not null;
-- Rescue and heartbeat: what a worker runs.
create index jobs_running_worker on imagen.jobs (worker_id) where status = 'running';
-- Limits and gauges: what runs on a backend.
create index jobs_running_backend on imagen.jobs (backend) where status = 'running';
-- Deleting an image finds its job.
create index jobs_image on imagen.jobs (image_id) where image_id is not null;
-- GET /images: an owner's gallery, newest first.
create index images_owner_newest on imagen.images (owner_user_id, created_at desc, id desc) where deleted_at is null;
-- GET /usage: an owner's costs by time.
create index usage_owner_time on imagen.usage (owner_user_id, created_at);
