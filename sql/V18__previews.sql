-- Previews cross to other processes only where a stream there watches the job: its process says so in the row, for some
-- seconds at a time, and whoever runs the job writes no preview otherwise.
alter table imagen.job_progress
    add column preview_at timestamptz,
    add column previews_until timestamptz;

-- A JPEG: it would not get any smaller.
alter table imagen.job_progress alter column preview set storage external;
