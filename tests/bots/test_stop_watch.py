"""Every held share has a named guard or an alert that says it has none; the alert ends when that does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bots.journal import Outgoing
from bots.stop_watch import GRACE_S, StopWatch, guard_of
from shared import schema
from shared.db import open_engine, writing
from shared.domain.money import Currency
from shared.domain.order import Position
from shared.models import Alert
from shared.store import alerts
from tests.bots.test_trader import Floor, floor  # noqa: F401  (a fixture)
from tests.fakes import START


@pytest.fixture
async def held(floor: Floor) -> Floor:  # noqa: F811
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    await floor.tick("102")
    return floor


def position(quantity: int, symbol: str = "AAPL") -> Position:
    return Position(symbol, quantity, quantity, Decimal(101), Currency.USD)


def watch(one: Floor) -> tuple[StopWatch, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []

    def tell(rows: tuple[Outgoing, ...]) -> None:
        told.extend(json.loads(row.body) for row in rows)

    return StopWatch(one.trader, one.room.clock, tell), told


async def test_a_position_names_its_rule_version_stop_level_and_last_look(held: Floor) -> None:
    guard = guard_of(held.trader, "AAPL")
    assert guard is not None
    assert (guard.rule_id, guard.version_id, guard.kind, guard.quantity) == (1, 1, "stop_loss", 5)
    assert guard.level == Decimal("95.95")  # 5 % under 101
    assert guard.checked_at == held.room.clock.wall_now()
    held.room.clock.pass_s(60)  # no price: nobody looks
    later = guard_of(held.trader, "AAPL")
    assert later is not None and later.checked_at == guard.checked_at


async def test_the_level_is_the_one_that_sells(held: Floor) -> None:
    guard = guard_of(held.trader, "AAPL")
    assert guard is not None
    before = len(held.room.orders.all())
    await held.tick(str(guard.level + Decimal("0.01")))
    assert len(held.room.orders.all()) == before
    await held.tick(str(guard.level))
    assert held.room.orders.all()[-1].request.reason == "stop_loss"


async def test_a_trailing_stop_takes_over_where_it_is_the_nearer(held: Floor) -> None:
    config = held.config()
    risk = replace(config.rule.risk, trailing_stop=replace(config.rule.risk.stop_loss, percent=1))  # type: ignore[type-var]
    held.configure(replace(config, rule=replace(config.rule, risk=risk)))
    guard = guard_of(held.trader, "AAPL")
    assert guard is not None and (guard.kind, guard.level) == ("trailing_stop", Decimal("100.98"))


async def test_a_parked_rule_guards_until_its_stops_raise_and_one_that_is_not_judged_guards_nothing(
    held: Floor,
) -> None:
    held.trader.parking.raised((1, "AAPL"), ValueError("a condition"))
    assert guard_of(held.trader, "AAPL") is not None
    held.trader.parking.raised((1, "AAPL"), ValueError("its stop"))
    assert guard_of(held.trader, "AAPL") is None
    held.trader.parking.why.clear()
    held.trader.rules.clear()
    assert guard_of(held.trader, "AAPL") is None


async def test_shares_without_a_stop_raise_one_alert_and_its_end_takes_it_back(held: Floor) -> None:
    stops, told = watch(held)
    assert stops.look([position(5)])["AAPL"].quantity == 5
    assert told == [told[0]] and told[0]["over"] and told[0]["dedup_key"] == "unguarded:*"
    stops.look([position(8)])  # three were bought elsewhere
    held.room.clock.pass_s(GRACE_S - 1)
    stops.look([position(8)])
    assert len(told) == 1  # a moment is given
    held.room.clock.pass_s(1)
    for _ in range(3):
        stops.look([position(8)])
    assert [(one["kind"], one["params"]["quantity"]) for one in told[1:]] == [("UNGUARDED", 3)]
    stops.look([position(5)])
    assert told[-1]["over"] and told[-1]["dedup_key"] == "unguarded:AAPL" and len(told) == 3
    stops.look([])
    assert len(told) == 3


async def test_the_rows_of_the_screen_carry_the_guard(held: Floor) -> None:
    from bots.screen import Screen
    from bots.sync import Snapshots

    shots = Snapshots()
    stops, _ = watch(held)
    await held.room.picture()
    screen = Screen(
        held.room.portfolio, held.room.orders, held.feed, held.trader, held.daybook, held.trader.hours,
        held.room.clock, lambda: shots, stops,
    )  # fmt: skip
    screen.show()
    row = shots.rows["positions"]["AAPL"]
    assert (row["guarded_by"], row["guard_version_id"], row["stop_kind"]) == (1, 1, "stop_loss")
    assert (row["stop_price"], row["guarded_qty"]) == ("95.95", 5)
    assert datetime.fromisoformat(str(row["stop_checked_at"])) <= held.room.clock.wall_now()


def test_an_ended_alert_is_closed_and_others_stay_open(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'app.db'}")
    schema.upgrade(engine)
    with writing(engine) as session:
        for key in ("1:unguarded:AAPL", "1:unguarded:MSFT", "12:unguarded:AAPL", "1:drift:AAPL"):
            alerts.raise_alert(session, START, kind="UNGUARDED", severity="warning", dedup_key=key)

        def left() -> set[str]:
            return set(session.exec(select(Alert.dedup_key).where(Alert.acknowledged_at == None)))  # noqa: E711

        alerts.end(session, START, dedup_key="1:unguarded:AAPL")
        assert left() == {"1:unguarded:MSFT", "12:unguarded:AAPL", "1:drift:AAPL"}
        alerts.end(session, START, dedup_key="1:unguarded:*")
        assert left() == {"12:unguarded:AAPL", "1:drift:AAPL"}
    engine.dispose()


async def test_a_stop_just_entered_counts_as_looked_at_until_its_first_price_is_due(floor: Floor) -> None:  # noqa: F811
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    floor.trader.stops_checked.clear()  # no price has come since the fill
    guard = guard_of(floor.trader, "AAPL")
    assert guard is not None and guard.checked_at == floor.room.clock.wall_now()
    floor.room.clock.pass_s(GRACE_S)
    late = guard_of(floor.trader, "AAPL")
    assert late is not None and late.checked_at is None
