-- Keys of callers without an identity provider. Of the key itself only the SHA-256 is kept: it is random and long enough
-- that nobody finds it from that.
create table imagen.api_keys (
    id            uuid primary key default gen_random_uuid(),
    name          text not null,
    role          text not null,
    owner_user_id uuid,
    key_hash      bytea not null,
    created_at    timestamptz not null default now(),
    revoked_at    timestamptz,
    constraint api_keys_key_hash unique (key_hash),
    constraint api_keys_name_length check (char_length(name) between 1 and 200),
    constraint api_keys_role_known check (role in ('authenticated', 'service_role')),
    -- An owner's key is one owner's; the service's is nobody's.
    constraint api_keys_owner check ((role = 'authenticated') = (owner_user_id is not null))
);

-- What opens an event stream once, where a client cannot send a header: short-lived, and kept as its SHA-256 too.
create table imagen.tickets (
    ticket_hash   bytea primary key,
    role          text not null,
    claims        text not null,
    owner_user_id uuid,
    -- when what the ticket was asked for with ends
    caller_until  timestamptz,
    expires_at    timestamptz not null
);
create index tickets_age on imagen.tickets (expires_at);

grant select, insert, update on imagen.api_keys to service_role;
grant select, insert, update, delete on imagen.tickets to service_role;

alter table imagen.api_keys enable row level security;
alter table imagen.tickets enable row level security;
-- Only the service sees keys and tickets.
create policy api_keys_service on imagen.api_keys to service_role using (true) with check (true);
create policy tickets_service on imagen.tickets to service_role using (true) with check (true);
