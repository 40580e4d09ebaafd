-- What only one backend knows, by its own names: {"quality": "high"}. Which names and values there are, the backend says.
alter table imagen.jobs add column params jsonb;
alter table imagen.jobs
    add constraint jobs_params_object check (jsonb_typeof(params) = 'object'),
    -- 16 KiB
    add constraint jobs_params_size check (octet_length(params::text) <= 16384);

grant insert (params) on imagen.jobs to authenticated;
