-- How many pictures a job makes, what they begin with, and which they are.
alter table imagen.jobs
    add column count          smallint not null default 1,
    -- No foreign key: a job whose input is gone fails and says so, and must not turn into one without an input.
    add column input_image_id uuid,
    -- How much of the input changes: 0 nothing, 1 all of it.
    add column strength       double precision,
    -- All of them in order, image_id the first; those that were removed since stay named.
    add column images         uuid[] not null default '{}';
alter table imagen.jobs
    add constraint jobs_count_range check (count between 1 and 10),
    add constraint jobs_strength_range check (strength between 0 and 1),
    add constraint jobs_strength_needs_input check (strength is null or input_image_id is not null);

grant insert (count, input_image_id, strength) on imagen.jobs to authenticated;

-- As in V5, and without images.
alter policy jobs_owner_insert on imagen.jobs
    with check (owner_user_id = (select auth.uid())
                and status = 'pending' and attempt = 0 and failures = 0 and version = 0 and priority <= 0
                and worker_id is null and image_id is null and error is null and cancel_requested_at is null
                and started_at is null and completed_at is null
                and created_at = now() and updated_at = now()
                and images = '{}');

-- An owner's own picture was made by nobody here.
alter table imagen.images
    alter column backend drop not null,
    alter column model drop not null,
    alter column prompt drop not null,
    add constraint images_made_or_own check (num_nulls(backend, model, prompt) in (0, 3));
