"""Migrations run on both databases and end at the models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

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
