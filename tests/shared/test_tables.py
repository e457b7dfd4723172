"""The plain tables that bots speak to are the models' own tables."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import TableClause
from sqlalchemy.dialects import postgresql, sqlite

from shared import tables
from shared.store import sync
from tools import make_tables

DIALECTS = [sqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]


def plain(name: str) -> TableClause:
    found = getattr(tables, name)
    assert isinstance(found, TableClause)
    return found


def test_the_file_is_what_the_models_say_today() -> None:
    assert make_tables.FILE.read_text(encoding="utf-8") == make_tables.document(), "run python tools/make_tables.py"


@pytest.mark.parametrize("name", make_tables.MODELS)
def test_a_plain_table_has_the_columns_of_its_model_and_their_types(name: str) -> None:
    model: Any = make_tables.MODELS[name]
    own, mapped = plain(name), model.__table__
    assert own.name == mapped.name
    for dialect in DIALECTS:
        typed = {column.name: str(column.type.compile(dialect)) for column in own.columns}
        assert typed == {column.name: str(column.type.compile(dialect)) for column in mapped.columns}


@pytest.mark.parametrize("name", make_tables.MODELS)
def test_a_fresh_row_holds_what_the_model_would_give(name: str) -> None:
    model: Any = make_tables.MODELS[name]
    must = {field for field, one in model.model_fields.items() if one.is_required()}
    given = tables.fresh(plain(name), **dict.fromkeys(must))
    built = model(**dict.fromkeys(must))
    for column, value in given.items():
        assert getattr(built, column) == value and type(getattr(built, column)) is type(value)
    left = set(model.model_fields) - given.keys()
    assert left <= {"id", "uuid"}, left  # the database's own number, and what is sealed by name


def test_a_default_that_can_be_changed_is_nobody_elses() -> None:
    one, other = tables.fresh(tables.alerts), tables.fresh(tables.alerts)
    assert one["params"] == {} and one["params"] is not other["params"]


@pytest.mark.parametrize("name", sync.STREAMS)
def test_a_stream_is_the_same_row_again_by_a_key_that_the_database_holds(name: str) -> None:
    stream = sync.STREAMS[name]
    model: Any = next(one for one in make_tables.MODELS.values() if one.__tablename__ == stream.table.name)
    constraints = [set(one.columns.keys()) for one in model.__table__.constraints if hasattr(one, "columns")]
    assert set(stream.unique) in constraints
    assert "id" in stream.table.columns
