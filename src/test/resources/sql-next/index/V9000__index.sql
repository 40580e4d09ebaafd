-- It waits for transactions that are older, and blocks nobody meanwhile.
set lock_timeout = 0;
-- What an earlier try left is of no use.
drop index concurrently if exists imagen.jobs_next;
create index concurrently jobs_next on imagen.jobs (created_at);
