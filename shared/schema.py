"""Bring a database to this program's schema, and say whether it is there."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlmodel import SQLModel

from shared.config import ROOT
from shared.db import reading, writing
from shared.domain.errors import ConfigError
from shared.models import load_all
from shared.store import heartbeats, realtime, row_security

load_all()

SERVED = "schema_serves"
BREAKS_OLDER: frozenset[str] = frozenset()  # revisions that a program made before them cannot live with


def alembic_config() -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    # The ini's `%` interpolation does not survive every path; the location is set whole.
    config.set_main_option("script_location", str(ROOT / "shared" / "migrations").replace("%", "%%"))
    return config


def upgrade(engine: Engine) -> None:
    """Run every missing migration."""
    _run(engine, "head", up=True)


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to `revision` ("base": an empty database)."""
    _run(engine, revision, up=False)


def current(engine: Engine) -> str | None:
    """The revision a database stands at; None for one that was never migrated."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision this program needs."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def require_current(engine: Engine) -> None:
    """Refuse to work on another schema than this program's, or than one that says it serves this program too.

    Raises:
        ConfigError: the database is older, newer and says nothing of us, or was never set up.
    """
    found, wanted = current(engine), head()
    if found != wanted and (found is None or wanted not in served(engine)):
        raise ConfigError(
            "the database has another schema than this program",
            f"it stands at {found or 'nothing'}, the program needs {wanted}",
            "run `letstrade db upgrade`",
        )


def tell_served(engine: Engine) -> None:
    """Write into the store which programs may go on with it: hosts are upgraded one after the other.

    That is every program as old as the last revision of BREAKS_OLDER; without one, every program.
    """
    names = []
    for revision in ScriptDirectory.from_config(alembic_config()).walk_revisions():
        names.append(revision.revision)
        if revision.revision in BREAKS_OLDER:
            break
    if current(engine) == head():
        with writing(engine) as session:
            heartbeats.set_fact(session, SERVED, " ".join(names))


def served(engine: Engine) -> frozenset[str]:
    """Heads of the programs that may run on this store, besides the one that it was made for."""
    with reading(engine) as session:
        return frozenset((heartbeats.fact(session, SERVED) or "").split())


def drift(engine: Engine) -> list[str]:
    """Differences between the migrated database and the models, in words; empty when there are none."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return [str(difference) for difference in compare_metadata(context, SQLModel.metadata)]


def row_security_gaps(engine: Engine) -> list[str] | None:
    """What keeps a Supabase project from being ready; None when the database is not one."""
    with engine.connect() as connection:
        return row_security.gaps(connection) if row_security.is_supabase(connection) else None


def untold_changes(engine: Engine) -> list[str] | None:
    """Tables whose changes a Supabase project tells nobody; None when the database is not one."""
    with engine.connect() as connection:
        return realtime.untold(connection) if row_security.is_supabase(connection) else None


def _run(engine: Engine, revision: str, *, up: bool) -> None:
    """Migrate in one transaction; a Supabase project is never seen with a table that its public key can read."""
    config = alembic_config()
    with engine.connect().execution_options(letstrade_writes=True) as connection:  # waits its turn among writing bots
        guarded = row_security.is_supabase(connection)
        if guarded:
            row_security.lift_policies(connection)
        config.attributes["connection"] = connection
        (command.upgrade if up else command.downgrade)(config, revision)
        if guarded and up:
            row_security.apply(connection)
            realtime.publish(connection)
        connection.commit()
