-- Written by tools/supabase_sql.py from shared/store/realtime.py; do not edit.

do $$
declare
  wanted text;
begin
  for wanted in select t from unnest(array['orders', 'alerts', 'commands', 'kill_switches']) t
    where exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables)
      and not exists (select from pg_publication_tables
        where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = t)
  loop
    execute format('alter publication supabase_realtime add table public.%I', wanted);
  end loop;
exception when insufficient_privilege then
  raise notice 'the publication is left to the owner of the database';
end $$;
