"""What is old becomes little: nothing of the money goes, hours keep what their minutes said, and a step is repeatable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from bots import tidying
from bots.tidying import tidy
from shared import schema
from shared.db import open_engine, reading, writing
from shared.models import (
    Alert,
    AlertDelivery,
    BrokerageAccount,
    DecisionRow,
    EquitySnapshot,
    ExecutionLog,
    FillRow,
    JobRun,
    OrderEvent,
    OrderRow,
    PriceBar,
    Readiness,
    StrategySignal,
)  # fmt: skip
from shared.store import accounts, retention
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=40)
ANCIENT = NOW - timedelta(days=500)
HOUR = OLD.replace(minute=0)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield request.getfixturevalue("store")
        return
    found = open_engine(request.getfixturevalue("postgres_url"))
    schema.upgrade(found)
    yield found
    found.dispose()


def fill(session: Session) -> None:
    owner = accounts.first_owner(session, NOW)
    session.add(
        BrokerageAccount(
            id=1, owner_id=owner.id or 0, nickname="a", broker="KIS", market="US", environment="SIM", created_at=NOW
        )
    )
    session.flush()
    for n, (at, level) in enumerate([(OLD, "INFO"), (OLD, "ERROR"), (NOW, "INFO"), (ANCIENT, "ERROR")]):
        session.add(ExecutionLog(account_id=1, seq=n, level=level, message=f"{level} {n}", created_at=at))
    for n in range(5):
        session.add(
            DecisionRow(account_id=1, seq=n, rule_id=1, version_id=1, symbol="AAPL", verdict="BUY" if n == 2 else "HOLD",
                        reason="x", counts={"x": n}, at=OLD.replace(hour=n), updated_at=OLD)
        )  # fmt: skip
    for n, (low, high, close) in enumerate([(99, 101, 100), (98, 100, 99), (99, 105, 104)]):
        session.add(
            PriceBar(environment="SIM", market="US", symbol="AAPL", timeframe="1m", start=HOUR + timedelta(minutes=n),
                     open=Decimal(100 + n), high=Decimal(high), low=Decimal(low), close=Decimal(close), volume=10)
        )  # fmt: skip
    for n in range(3):
        session.add(
            EquitySnapshot(
                account_id=1, at=HOUR + timedelta(minutes=n), currency="USD", equity=Decimal(n), cash=Decimal(n)
            )
        )
    for at, key in ((ANCIENT, "old"), (NOW, "new")):
        order = OrderRow(
            account_id=1,
            client_order_id=key,
            symbol="AAPL",
            side="BUY",
            qty=1,
            status="FILLED",
            placed_at=at,
            updated_at=at,
        )
        session.add(order)
        session.flush()
        assert order.id is not None
        session.add(OrderEvent(account_id=1, order_id=order.id, seq=order.id, at=at, event="SEND"))
        session.add(
            FillRow(
                order_id=order.id,
                account_id=1,
                execution_id=key,
                symbol="AAPL",
                side="BUY",
                qty=1,
                price=Decimal(1),
                filled_at=at,
                recorded_at=at,
            )
        )
        session.add(JobRun(job=key, account_id=1, due_at=at))
        session.add(StrategySignal(account_id=1, rule_id=1, type="ENTRY", signal_key=key, created_at=at))
        session.add(Readiness(account_id=1, due_at=at, opens_at=at, checked_at=at, ready=True))
        alert = Alert(kind="FILL", severity="info", dedup_key=key, created_at=at, last_at=at, acknowledged_at=at)
        session.add(alert)
        session.flush()
        session.add(AlertDelivery(alert_id=alert.id or 0, recipient=1, outcome="sent", at=at))


def rows(engine: Engine, model: Any, *order: Any) -> list[Any]:
    with reading(engine) as session:
        return list(session.exec(select(model).order_by(*order)))


def test_noise_goes_history_stays_and_money_is_never_touched(engine: Engine) -> None:
    with writing(engine) as session:
        fill(session)
    clock = FakeClock(NOW)
    gone, ended = tidy(engine, clock, clock.pass_s)
    assert ended and set(gone) == {rule.table for rule in retention.RULES} - {"commands"}
    assert [row.message for row in rows(engine, ExecutionLog, col(ExecutionLog.id))] == ["ERROR 1", "INFO 2"]
    kept = [(row.verdict, row.seq) for row in rows(engine, DecisionRow, col(DecisionRow.seq))]
    assert kept == [("BUY", 2), ("HOLD", 4)]  # what acted, and the day's last word with its counts
    [hour] = rows(engine, PriceBar, col(PriceBar.id))
    assert (hour.timeframe, hour.start, hour.volume) == ("1h", HOUR, 30)
    assert (hour.open, hour.high, hour.low, hour.close) == (100, 105, 98, 104)
    assert [row.equity for row in rows(engine, EquitySnapshot, col(EquitySnapshot.at))] == [2]
    assert len(rows(engine, OrderRow)) == len(rows(engine, FillRow)) == 2
    assert len(rows(engine, OrderEvent)) == len(rows(engine, Alert)) == len(rows(engine, AlertDelivery)) == 1
    assert [row.job for row in rows(engine, JobRun)] == ["new"]
    assert [row.signal_key for row in rows(engine, StrategySignal)] == ["new"]
    assert [row.due_at for row in rows(engine, Readiness)] == [NOW]
    assert tidy(engine, clock, clock.pass_s) == ({}, True)  # a second time there is nothing to do


def test_a_turn_that_takes_too_long_ends_and_the_next_one_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "REST_S", tidying.LONGEST_S)
    with writing(engine) as session:
        fill(session)
        session.add(ExecutionLog(account_id=1, seq=9, level="INFO", message="old", created_at=ANCIENT))
    clock, turns, ended = FakeClock(NOW), 0, False
    while not ended:
        _, ended = tidy(engine, clock, clock.pass_s)
        turns += 1
    assert turns > 1 and [row.seq for row in rows(engine, DecisionRow, col(DecisionRow.seq))] == [2, 4]


def test_every_rule_names_a_table_and_says_what_becomes_of_it() -> None:
    from sqlmodel import SQLModel

    for rule in retention.RULES:
        assert rule.table in SQLModel.metadata.tables and " · " in rule.becomes
    assert not {rule.table for rule in retention.RULES} & {
        "orders",
        "fills",
        "audit_logs",
        "positions",
        "cash_balances",
    }
