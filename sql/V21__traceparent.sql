-- The trace that a job belongs to, as W3C's header traceparent has it (version 00): whoever runs the job goes on with it.
alter table imagen.jobs add column traceparent text;
alter table imagen.jobs
    -- an id of zeros is none
    add constraint jobs_traceparent_format
        check (traceparent ~ '^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$')
    not valid;

grant insert (traceparent) on imagen.jobs to authenticated;
