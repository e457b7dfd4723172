"""What a hosted Supabase project brings of its own: its roles, auth.uid(), the grants that it gives every new table of
`public`, and an empty publication for Realtime. Only what ours stands on."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

ROLES = """
do $$ begin
  if not exists (select from pg_roles where rolname = 'anon') then create role anon nologin noinherit; end if;
  if not exists (select from pg_roles where rolname = 'authenticated') then create role authenticated nologin noinherit; end if;
  if not exists (select from pg_roles where rolname = 'service_role') then create role service_role nologin noinherit bypassrls; end if;
exception when duplicate_object or unique_violation then null; -- another worker was first
end $$
"""
PROJECT = """
create schema auth;
create publication supabase_realtime;
create function auth.uid() returns uuid language sql stable as $$
  select nullif((nullif(current_setting('request.jwt.claims', true), '')::jsonb) ->> 'sub', '')::uuid $$;
grant usage on schema auth to anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
"""


def make_project(address: str) -> None:
    """Make an empty database look like a new project."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(ROLES)
        for statement in PROJECT.split(";\n"):
            if statement.strip():
                connection.execute(statement)


@contextmanager
def new_database(server: str, template: str = "template1") -> Iterator[str]:
    """A database of its own on the server, dropped afterwards; as libpq's address."""
    name = f"sb{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    head, _, query = server.partition("?")
    yield head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    # The packaged server was seen to drop the connection here; a database that stays behind ends with its server.
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def for_the_store(address: str) -> str:
    return address.replace("postgresql://", "postgresql+psycopg://", 1)
