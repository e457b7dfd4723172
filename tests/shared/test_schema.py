"""Migrations run on both databases and end at the models."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import OperationalError

from shared import schema
from shared.db import open_engine
from shared.domain.errors import ConfigError


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_the_migrations_end_at_the_models_and_go_back_to_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.drift(engine) == []
    schema.require_current(engine)
    schema.upgrade(engine)  # again changes nothing
    schema.downgrade(engine, "base")
    assert [name for name in inspect(engine).get_table_names() if name != "alembic_version"] == []


def test_a_database_that_was_never_set_up_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="another schema"):
        schema.require_current(engine)


def test_an_older_program_goes_on_where_the_store_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.upgrade(engine)
    older = [revision.revision for revision in _revisions()][1]
    monkeypatch.setattr(schema, "head", lambda: older)
    with pytest.raises(ConfigError, match="another schema"):
        schema.require_current(engine)
    monkeypatch.undo()
    schema.tell_served(engine)
    monkeypatch.setattr(schema, "head", lambda: older)
    schema.require_current(engine)
    schema.tell_served(engine)  # an older program does not speak for the store
    monkeypatch.undo()
    monkeypatch.setattr(schema, "BREAKS_OLDER", frozenset({schema.head()}))
    schema.tell_served(engine)
    assert schema.served(engine) == {schema.head()}


def test_a_program_of_the_revision_before_can_write_what_it_used_to(engine: Engine) -> None:
    """Hosts are upgraded one after the other: a new column of an old table is nullable or has a default at the store."""
    chain = [revision.revision for revision in reversed(_revisions())]
    known: dict[str, set[str]] = {}
    for revision in chain:
        _up_to(engine, revision)
        found = inspect(engine)
        for table in found.get_table_names():
            columns = {column["name"]: column for column in found.get_columns(table)}
            for name in columns.keys() - known.get(table, columns.keys()):
                assert columns[name]["nullable"] or columns[name]["default"] is not None, f"{revision}: {table}.{name}"
            known[table] = set(columns)


def test_an_upgrade_meets_bots_that_write(engine: Engine) -> None:
    """From the revision before to the newest, while others commit without a pause: nobody fails, nothing is lost."""
    chain = [revision.revision for revision in reversed(_revisions())]
    _up_to(engine, chain[-2])
    stop, wrote, raised = threading.Event(), [0, 0], []

    def write(number: int) -> None:
        while not stop.is_set():
            try:
                with engine.connect().execution_options(letstrade_writes=True) as connection:
                    connection.exec_driver_sql(
                        f"INSERT INTO owners (name, created_at) VALUES ('{number}', '2026-11-20T00:00:00.000000+00:00')"
                    )
                    connection.commit()
                wrote[number] += 1
            except OperationalError:
                continue  # the store is busy: a bot tries again in its next second
            except Exception as error:
                raised.append(error)
                return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    while min(wrote) < 3 and not raised:
        time.sleep(0.01)
    schema.upgrade(engine)
    before = list(wrote)
    while any(now < then + 3 for now, then in zip(wrote, before, strict=True)) and not raised:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert raised == []
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM owners").scalar() == sum(wrote)


def _revisions() -> list[Script]:
    return list(ScriptDirectory.from_config(schema.alembic_config()).walk_revisions())


def _up_to(engine: Engine, revision: str) -> None:
    config = schema.alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
