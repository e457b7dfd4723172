"""What connections and sessions promise to the statements of shared/store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from shared.db import committing, looking, open_engine, reading, writing
from shared.models import Alert, Meta
from shared.store import alerts, heartbeats

AT = datetime(2026, 11, 21, tzinfo=UTC)
OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_plain_statement_sees_what_the_session_added_before_it(store: Engine) -> None:
    with writing(store) as session:
        session.add(Meta(name="colour", value="red"))
        assert heartbeats.fact(session, "colour") == "red"


def test_a_row_loaded_before_shows_what_a_plain_statement_changed_even_after_the_session(store: Engine) -> None:
    with writing(store) as session:
        alerts.raise_alert(session, AT, kind="FILL", severity="info", dedup_key="k")
        row = session.exec(select(Alert)).one()
        alerts.raise_alert(session, AT, kind="FILL", severity="info", dedup_key="k", params={"qty": 2})
    assert (row.count, row.params) == (2, {"qty": 2})


def test_the_same_question_has_one_answer_on_a_connection_and_in_a_session(store: Engine) -> None:
    with committing(store) as connection:
        heartbeats.set_fact(connection, "colour", "blue")
    with reading(store) as session, looking(store) as connection:
        assert heartbeats.fact(session, "colour") == heartbeats.fact(connection, "colour") == "blue"


def test_what_fails_on_a_connection_leaves_nothing(store: Engine) -> None:
    with pytest.raises(KeyError), committing(store) as connection:
        heartbeats.set_fact(connection, "colour", "blue")
        raise KeyError
    with looking(store) as connection:
        assert heartbeats.fact(connection, "colour") is None


@pytest.mark.postgres
@pytest.mark.parametrize("trusted_s", [0.0, 1e-9])
def test_a_connection_that_rested_and_is_gone_is_replaced_unnoticed(
    postgresql_store_url: str, trusted_s: float
) -> None:
    engine, other = (
        open_engine(postgresql_store_url, pool_size=1, trusted_s=trusted_s),
        open_engine(postgresql_store_url),
    )
    with looking(engine) as connection:
        heartbeats.fact(connection, "x")
    _end_all_others(other)
    with looking(engine) as connection:
        assert heartbeats.fact(connection, "x") is None
    engine.dispose()


@pytest.mark.postgres
def test_a_trusted_connection_that_is_gone_costs_one_exchange(postgresql_store_url: str) -> None:
    engine, other = open_engine(postgresql_store_url, pool_size=1, trusted_s=1e9), open_engine(postgresql_store_url)
    with committing(engine) as connection:
        heartbeats.set_fact(connection, "colour", "red")
    _end_all_others(other)
    with pytest.raises(DBAPIError), committing(engine) as connection:
        heartbeats.set_fact(connection, "colour", "blue")
    with committing(engine) as connection:
        assert heartbeats.fact(connection, "colour") == "red"
    engine.dispose()


def _end_all_others(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(OTHERS)
    engine.dispose()


def test_a_session_for_reads_refuses_to_write(store: Engine) -> None:
    with pytest.raises(AssertionError, match="use shared"), reading(store) as session:
        session.add(Meta(name="colour", value="red"))
        heartbeats.fact(session, "colour")
    with reading(store) as session:
        assert heartbeats.fact(session, "colour") is None


def test_a_row_changed_in_a_session_for_reads_is_not_written(store: Engine) -> None:
    with writing(store) as session:
        session.add(Meta(name="colour", value="red"))
    with pytest.raises(AssertionError, match="use shared"), reading(store) as session:
        session.exec(select(Meta).where(Meta.name == "colour")).one().value = "blue"
        session.exec(select(Meta)).all()
    with reading(store) as session:
        assert heartbeats.fact(session, "colour") == "red"


def test_a_server_is_asked_for_reads_without_a_transaction(store: Engine) -> None:
    """A statement each way, nothing to begin and to end."""
    with reading(store) as session:
        assert heartbeats.fact(session, "colour") is None
        inside = session.connection().connection.driver_connection
        open_now = inside.info.transaction_status.name if store.dialect.name == "postgresql" else "IDLE"
    assert open_now == "IDLE"
    with writing(store) as session:  # and the same connection, given back, writes in one again
        session.add(Meta(name="colour", value="red"))
        session.flush()
        session.rollback()
    with reading(store) as session:
        assert heartbeats.fact(session, "colour") is None


def test_an_answer_is_fetched_piece_by_piece(store: Engine) -> None:
    with writing(store) as session:
        session.add_all(Meta(name=f"n{number}", value=str(number)) for number in range(25))
    with reading(store, portions=True) as session:
        names = [row.name for row in session.execute(select(Meta.name), execution_options={"yield_per": 10})]
    assert {f"n{number}" for number in range(25)} <= set(names)
