"""supabase/migrations end where our own migrations end; the CLI takes them; pgTAP agrees."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from shared import schema
from shared.config import ROOT
from shared.db import open_engine
from tests.supabase import for_the_store, make_project, new_database
from tools import supabase_sql

OURS = "n.nspname in ('public', 'desk')"
CATALOG = {
    "columns": "select table_name, column_name, data_type, is_nullable, column_default, numeric_precision, numeric_scale "
    "from information_schema.columns where table_schema = 'public'",
    "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint "
    "where connamespace = 'public'::regnamespace",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "policies": "select tablename, policyname, roles::text, cmd, qual, with_check from pg_policies",
    "guarded": "select relname, relrowsecurity, relacl::text from pg_class "
    "where relnamespace = 'public'::regnamespace and relkind = 'r'",
    "column grants": "select attrelid::regclass::text, attname, attacl::text from pg_attribute "
    "where attacl is not null and attrelid::regclass::text not like 'pg\\_%'",
    "functions": f"select proname, pg_get_functiondef(p.oid), proacl::text from pg_proc p "
    f"join pg_namespace n on n.oid = p.pronamespace where {OURS}",
    "triggers": "select tgrelid::regclass::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "revision": "select version_num from alembic_version",
    "told changes": "select tablename from pg_publication_tables where pubname = 'supabase_realtime'",
}


def described(address: str) -> dict[str, set[Any]]:
    with psycopg.connect(address) as connection:
        return {name: set(connection.execute(sql).fetchall()) for name, sql in CATALOG.items()}  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def migrated(postgres_server: str) -> Iterator[str]:
    """A project that `db upgrade` brought here."""
    with new_database(postgres_server) as address:
        make_project(address)
        engine = open_engine(for_the_store(address))
        schema.upgrade(engine)
        engine.dispose()
        yield address


@pytest.fixture
def project(postgres_server: str) -> Iterator[str]:
    with new_database(postgres_server) as address:
        make_project(address)
        yield address


def test_the_files_are_what_the_revisions_and_the_row_security_say() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in supabase_sql.FOLDER.glob("*.sql")}
    for name, text in supabase_sql.files():
        assert written.get(name) == text, f"{name} is not up to date: python -m tools.supabase_sql"


def test_whatever_is_added_comes_after_what_a_project_has_taken() -> None:
    there = [int(path.name.split("_")[0]) for path in supabase_sql.FOLDER.glob("*.sql")]
    revisions = len(list(supabase_sql.files())) - 1
    assert supabase_sql.version(revisions) > max(there)


@pytest.mark.postgres
def test_the_files_end_where_our_own_migrations_end(migrated: str, project: str) -> None:
    with psycopg.connect(project) as connection:
        for name, _ in supabase_sql.files():
            connection.execute((supabase_sql.FOLDER / name).read_bytes())
    ours, theirs = described(migrated), described(project)
    for name in CATALOG:
        assert ours[name], f"nothing to compare in {name}"
        assert theirs[name] == ours[name], name


@pytest.mark.postgres
def test_the_cli_pushes_and_lints(migrated: str, project: str) -> None:
    cli = shutil.which("supabase")
    if cli is None:
        pytest.skip("no Supabase CLI on the path: npm install supabase")
    needs(project, "plpgsql_check")
    run_cli(cli, project, "db", "push", "--yes")
    run_cli(cli, project, "db", "lint", "--schema", "public,desk", "--level", "warning", "--fail-on", "warning")
    ours, theirs = described(migrated), described(project)
    for name in ("columns", "constraints", "policies", "column grants", "revision"):
        assert theirs[name] == ours[name], name


@pytest.mark.postgres
def test_a_desk_that_upgraded_itself_is_pushed_the_rest_as_the_page_says(project: str) -> None:
    cli = shutil.which("supabase")
    if cli is None:
        pytest.skip("no Supabase CLI on the path: npm install supabase")
    engine = open_engine(for_the_store(project))
    schema.upgrade(engine)
    engine.dispose()
    versions = [path.name.split("_")[0] for path in supabase_sql.FOLDER.glob("*.sql")]
    revisions = [one for one in sorted(versions) if not one.startswith("20261122")]
    run_cli(cli, project, "migration", "repair", "--status", "applied", "--yes", *revisions)
    run_cli(cli, project, "db", "push", "--yes", "--include-all")  # a later revision of ours is applied already
    with psycopg.connect(project) as connection:
        assert connection.execute("select count(*) from pg_trigger where tgname = 'urgent_alert'").fetchone() == (1,)
        taken = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
    assert {one for (one,) in taken} == set(versions)


def run_cli(cli: str, address: str, *words: str) -> None:
    env = {**os.environ, "SUPABASE_TELEMETRY_DISABLED": "1", "PGSSLMODE": "disable"}
    done = subprocess.run(
        [cli, *words, "--db-url", address], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.postgres
def test_pgtap_agrees(migrated: str) -> None:
    prove = shutil.which("pg_prove")
    if prove is None:
        pytest.skip("no pg_prove: apt install libtap-parser-sourcehandler-pgtap-perl")
    needs(migrated, "pgtap")
    files = [str(path) for path in sorted((ROOT / "supabase" / "tests").glob("*.sql"))]
    done = subprocess.run([prove, "-d", migrated, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def needs(address: str, extension: str) -> None:
    with psycopg.connect(address) as connection:
        if connection.execute("select 1 from pg_available_extensions where name = %s", [extension]).fetchone() is None:
            pytest.skip(f"this PostgreSQL has no {extension}: apt install postgresql-15-{extension.replace('_', '-')}")
