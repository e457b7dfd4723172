"""`python -m tools.supabase_sql`: write supabase/migrations from the revisions and the row security of this checkout.

One file per revision, in their order, so that `supabase db push` ends where `db upgrade` ends. A new table is shut in
the file that makes it; policies and grants stand at the end of the last file. One file more has Realtime tell changes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlmodel import SQLModel

from shared import schema
from shared.config import ROOT
from shared.store import realtime, row_security

FOLDER = ROOT / "supabase" / "migrations"
# The version a file is known by at the project: the n-th revision has the n-th. `db push` refuses a file older than the
# last that it took, so whatever comes after urgent_alerts and realtime, which are not revisions, is numbered behind them.
FIRST = 2026_01_01_00_00_00
LATER, FROM = 2026_12_01_00_00_00, 9
REALTIME = "20261122000001_realtime.sql"
HEAD = "-- Written by tools/supabase_sql.py from shared/{source}; do not edit.\n\n"
VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));\n\n"
)


def files() -> Iterator[tuple[str, str]]:
    """(name, text) of every file, oldest first."""
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    revisions = list(reversed(list(scripts.walk_revisions())))
    for number, revision in enumerate(revisions):
        first, last = number == 0, number == len(revisions) - 1
        body = _ddl(revision)
        made = re.findall(r"CREATE TABLE (\w+)", body) + ["alembic_version"] * first
        text = (
            HEAD.format(source=f"migrations/versions/{revision.module.__name__.removesuffix('_py')}.py")
            + VERSION_TABLE * first
            + body
        )
        text += f"\n{_version(revision, first)};\n\n"
        wanted = list(_closing(made)) + (list(row_security.statements(_tables())) if last else [])
        yield f"{version(number)}_{_slug(revision)}.sql", text + "".join(f"{line};\n" for line in wanted)
    yield REALTIME, f"{HEAD.format(source='store/realtime.py')}{realtime.PUBLISH};\n"


def version(number: int) -> int:
    """What the n-th revision, counted from 0, is known by at a project."""
    return FIRST + number if number < FROM else LATER + number


def _ddl(revision: Script) -> str:
    """What the revision does on PostgreSQL, as text; a revision that has to read rows first cannot be written so."""
    out = io.StringIO()
    options = {"as_sql": True, "literal_binds": True, "output_buffer": out}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context):
        revision.module.upgrade()
    return re.sub(r"\n{2,}", "\n\n", re.sub(r"[ \t]+\n", "\n", out.getvalue())).strip() + "\n"


def _version(revision: Script, first: bool) -> str:
    number = revision.revision
    if first:
        return f"INSERT INTO alembic_version (version_num) VALUES ('{number}')"
    return f"UPDATE alembic_version SET version_num = '{number}'"


def _closing(tables: list[str]) -> Iterator[str]:
    for table in tables:
        yield from row_security.close(table)


def _tables() -> list[str]:
    return [*SQLModel.metadata.tables, "alembic_version"]


def _slug(revision: Script) -> str:
    return re.sub(r"^\d+_", "", str(revision.path).rsplit("/", 1)[-1].removesuffix(".py"))


def main() -> None:
    """Write the files, and remove those of revisions that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = dict(files())
    for path in FOLDER.glob("*.sql"):
        if path.name not in wanted and path.read_text(encoding="utf-8").startswith(HEAD[:30]):
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
