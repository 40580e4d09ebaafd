-- The roles and claim functions that Supabase brings, made only where they are missing.
-- Roles belong to the whole server: two databases may be migrated at the same moment, so each block survives a race.

do $$
declare
    wanted text;
    -- From PostgreSQL 16 on, creating a role does not bring the right to act as it, and a grant can leave inheritance out.
    modern boolean := current_setting('server_version_num')::int >= 160000;
begin
    foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin noinherit', wanted);
            exception
                when duplicate_object or unique_violation then null;
                when insufficient_privilege then
                    raise exception 'the login % may not create role "%"', current_user, wanted
                        using hint = format('Ask an administrator to run: create role %I nologin noinherit; grant %I to %I;',
                                            wanted, wanted, current_user);
            end;
        end if;
        if not pg_catalog.pg_has_role(current_user, wanted, case when modern then 'SET' else 'MEMBER' end) then
            begin
                execute format('grant %I to %I', wanted, current_user)
                        || case when modern then ' with set true, inherit false' else '' end;
            exception
                when unique_violation or internal_error then null;
                when insufficient_privilege then
                    raise exception 'the login % is not a member of role "%"', current_user, wanted
                        using hint = format('Ask an administrator to run: grant %I to %I;', wanted, current_user);
            end;
        end if;
    end loop;
end
$$;

do $$
begin
    if pg_catalog.to_regnamespace('auth') is null then
        create schema auth;
        grant usage on schema auth to authenticated, service_role;
    end if;

    -- PostgREST leaves its settings as '' after a transaction, hence nullif.
    if pg_catalog.to_regprocedure('auth.jwt()') is null then
        create function auth.jwt() returns jsonb language sql stable set search_path = '' as
            $f$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $f$;
        revoke execute on function auth.jwt() from public;
        grant execute on function auth.jwt() to authenticated, service_role;
    end if;
    if pg_catalog.to_regprocedure('auth.uid()') is null then
        create function auth.uid() returns uuid language sql stable set search_path = '' as
            $f$ select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                                nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $f$;
        revoke execute on function auth.uid() from public;
        grant execute on function auth.uid() to authenticated, service_role;
    end if;
    if pg_catalog.to_regprocedure('auth.role()') is null then
        create function auth.role() returns text language sql stable set search_path = '' as
            $f$ select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
                                nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role') $f$;
        revoke execute on function auth.role() from public;
        grant execute on function auth.role() to authenticated, service_role;
    end if;
end
$$;
