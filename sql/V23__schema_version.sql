-- How far the schema is: a process that does not migrate by itself waits until another one has.
create function imagen.schema_version() returns int
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select max(version::int) from imagen.flyway_schema_history where success
$$;
revoke execute on function imagen.schema_version() from public;
grant execute on function imagen.schema_version() to service_role;
