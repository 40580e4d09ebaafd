-- How many more jobs of a backend may run, over all processes, when at most this many may at once. Counts running rows:
-- a counter would drift. The lock lasts until the claim's transaction ends, so that two claims never count the same free
-- slot; volatile, so that what is counted after waiting for the lock is as it is then.
create function imagen.free_slots(backend text, concurrency int) returns int
language plpgsql volatile set search_path = '' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('imagen.free_slots ' || free_slots.backend, 0));
    return greatest(0, free_slots.concurrency - (select count(*) from imagen.jobs j
                                                  where j.status = 'running' and j.backend = free_slots.backend));
end
$$;

revoke execute on function imagen.free_slots(text, int) from public;
grant execute on function imagen.free_slots(text, int) to service_role;

-- The fair claim's own: as jobs_claim, with the owners of a lane side by side, to go from one to the next.
create index jobs_claim_fair on imagen.jobs (coalesce(backend, ''), priority desc, owner_user_id, run_at, id)
    where status = 'pending';
