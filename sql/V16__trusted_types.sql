-- With an empty search_path PostgreSQL still looks for types and tables among the session's temporary ones first: a domain
-- named uuid, made there by whoever may make temporary objects, had its check run with the rights of these functions'
-- owner. Named last, that schema is looked at last.
do $$
declare
    wanted regprocedure;
begin
    -- In auth only what V1 made there: on Supabase these are not ours.
    for wanted in select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
                   where 'search_path=""' = any (p.proconfig)
                     and (n.nspname = 'imagen'
                          or n.nspname = 'auth' and p.proname in ('jwt', 'uid', 'role')
                             and pg_catalog.pg_has_role(current_user, p.proowner, 'USAGE')) loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', wanted);
    end loop;
end
$$;
