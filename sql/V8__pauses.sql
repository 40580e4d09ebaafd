-- What nobody claims for the time being: a backend, or with '' everything.
create table imagen.pauses (
    backend   text primary key,
    paused_at timestamptz not null default now(),
    constraint pauses_backend_length check (char_length(backend) <= 200)
);

grant select, insert, update, delete on imagen.pauses to service_role;

alter table imagen.pauses enable row level security;
-- Only the service sees and changes what is paused.
create policy pauses_service on imagen.pauses to service_role using (true) with check (true);

-- Nothing new is claimed of this backend, or with null of any; what runs goes on, and what is pending waits. A claim that
-- is under way at this moment may still end. Returns all that is paused.
create function imagen.pause(backend text default null) returns setof imagen.pauses
language plpgsql set search_path = '' as $$
begin
    insert into imagen.pauses (backend) values (coalesce(pause.backend, '')) on conflict do nothing;
    return query select * from imagen.pauses p order by p.backend;
end
$$;

-- Ends the pause of this backend, or with null every pause, and wakes the workers. Returns what is still paused.
create function imagen.resume(backend text default null) returns setof imagen.pauses
language plpgsql set search_path = '' as $$
begin
    delete from imagen.pauses p where resume.backend is null or p.backend = resume.backend;
    perform pg_notify('imagen_jobs', '');
    return query select * from imagen.pauses p order by p.backend;
end
$$;

revoke execute on function imagen.pause(text), imagen.resume(text) from public;
grant execute on function imagen.pause(text), imagen.resume(text) to service_role;
