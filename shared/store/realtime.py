"""Of which tables a Supabase project tells changes (Realtime): a project has the publication, and nothing in it.

Telling only wakes whoever polls anyway, so a database without the publication lacks nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection

PUBLICATION = "supabase_realtime"
TABLES = ("orders", "alerts", "commands", "kill_switches")

_LIST = ", ".join(f"'{table}'" for table in TABLES)
PUBLISH = f"""\
do $$
declare
  wanted text;
begin
  for wanted in select t from unnest(array[{_LIST}]) t
    where exists (select from pg_publication where pubname = '{PUBLICATION}' and not puballtables)
      and not exists (select from pg_publication_tables
        where pubname = '{PUBLICATION}' and schemaname = 'public' and tablename = t)
  loop
    execute format('alter publication {PUBLICATION} add table public.%I', wanted);
  end loop;
exception when insufficient_privilege then
  raise notice 'the publication is left to the owner of the database';
end $$"""


def publish(connection: Connection) -> None:
    """Have the project tell of every table of TABLES; run again, it changes nothing."""
    connection.exec_driver_sql(PUBLISH.replace("%", "%%"))


def untold(connection: Connection) -> list[str]:
    """The tables of which the project tells nothing."""
    found = connection.exec_driver_sql(
        f"select tablename from pg_publication_tables where pubname = '{PUBLICATION}' and schemaname = 'public'"
    ).scalars()
    return sorted(set(TABLES) - set(found))
