-- A role that may create neither schemas nor databases. What the tests' fixtures create, their schema first, is prepared for
-- it: whatever the superuser makes belongs to the role.
create role :"role" login nosuperuser nocreatedb nocreaterole;
select set_config('conformance.role', :'role', false);
alter database dbt set conformance.role = :'role';

create function public.hand_over() returns event_trigger language plpgsql as $$
declare
    made record;
    kind text;
begin
    if session_user = current_setting('conformance.role') then
        return;
    end if;
    for made in select * from pg_event_trigger_ddl_commands() loop
        kind := made.object_type;
        if kind in ('schema', 'table', 'view', 'materialized view', 'sequence', 'function', 'type')
            and coalesce(made.schema_name, '') !~ '^pg_'
        then
            execute format('alter %s %s owner to %I', kind, made.object_identity, current_setting('conformance.role'));
        end if;
    end loop;
end
$$;

create event trigger hand_over on ddl_command_end
    when tag in ('CREATE SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW',
                 'CREATE SEQUENCE', 'CREATE FUNCTION', 'CREATE TYPE')
    execute function public.hand_over();
