"""A day of the bots, incidents, the search through all logs, earnings rolled up, one cancel for two operators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bots.five_minutes import FiveMinutes
from bots.heartbeat import Vitals
from console.services import incidents, logs, orders, profit, vitals
from console.services.incidents import Kind
from shared.db import reading, writing
from shared.models import ExecutionLog, Role
from shared.store import panels, trades
from shared.store.panels import LogFilter
from tests.console.desks import Desk

AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_five_minutes_of_heartbeats_become_one_row() -> None:
    life, vital = FiveMinutes(), Vitals(1, AT, code="c")
    told = []
    for second in (*range(0, 120, 2), *range(150, 300, 2)):  # thirty seconds of silence
        vital.loop_lag_ms = 900.0 if second == 150 else 3.0
        told.append(life.beat(vital, AT + timedelta(seconds=second)))
    rows = [one for one in told if one is not None]
    assert {one["at"] for one in rows} == {AT.isoformat()}
    assert (rows[-1]["gap_s"], rows[-1]["lag_ms"]) == (32.0, 900.0)
    assert rows[-1]["beats"] >= 133 and len(rows) <= 8
    after = life.beat(vital, AT + timedelta(minutes=7))
    assert after is not None and after["beats"] == 1 and after["gap_s"] > 100


def test_silence_is_a_gap_in_the_day_and_never_a_zero(desk: Desk) -> None:
    days = {one.account: one for one in vitals.day(desk.wiring, desk.actor(Role.ADMIN))}
    one = days["미국 주식 1호"]
    assert len(one.slices) == 288
    assert one.silent_min >= 25 and one.silent_min % 5 == 0  # five slices were planted away; more have ended since then
    assert sum(part.gap_s is None for part in one.slices) >= 5
    assert one.worst_gap_s == 24.0 and one.worst_lag_ms == 410.0


def test_order_latency_is_from_sending_to_the_answer(desk: Desk) -> None:
    found = {one.account: one for one in vitals.latency(desk.wiring, desk.actor(Role.ADMIN))}
    assert {round(ms) for _, ms in found["미국 주식 1호"].points} == {57}
    assert found["미국 주식 1호"].at_most(0.95) == pytest.approx(57)


def test_what_people_did_is_an_admins_to_read(desk: Desk) -> None:
    week = timedelta(days=7)
    admin = incidents.timeline(desk.wiring, desk.actor(Role.ADMIN), week)
    assert Kind.DEED in {one.kind for one in admin}
    assert [one.at for one in admin] == sorted((one.at for one in admin), reverse=True)
    trader = incidents.timeline(desk.wiring, desk.actor(Role.TRADER), week)
    assert Kind.DEED not in {one.kind for one in trader}
    assert {one.account for one in trader} <= {"미국 주식 1호", "국내 단타", "본계좌", ""}
    assert any(one.kind is Kind.ORDER and one.code == "DENIED" for one in trader)


def test_a_search_reaches_the_first_line_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "SEARCHED", 10)
    monkeypatch.setattr(logs, "WINDOWS", 2)
    who, account = desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"]
    with writing(desk.wiring.engine) as session:
        for number in range(60):
            text = "바늘" if number in (3, 40) else "짚"
            session.add(ExecutionLog(account_id=account, seq=7000 + number, level="INFO", message=text, created_at=AT))
    found, below, looks = [], None, 0
    while below != 0:
        page = logs.page(desk.wiring, who, LogFilter(text="바늘", before=below), account_id=account)
        found, below, looks = [*found, *page.rows], page.below, looks + 1
        assert looks < 20
    assert [one.message for one in found] == ["바늘", "바늘"]
    assert looks >= 4  # no look walks further than it may


def test_earnings_go_on_after_a_restart_from_what_was_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profit, "SAVED_EVERY", 1)
    monkeypatch.setattr(profit, "_ledgers", {})
    today = desk.wiring.clock.wall_now().date()

    def told() -> object:
        view = profit.statement(
            desk.wiring, desk.actor(Role.ADMIN), today - timedelta(days=9), today + timedelta(days=1)
        )
        return sorted((str(day.day), day.account_id, day.gain, day.fees, day.net_won) for day in view.days)

    profit.keep(desk.wiring)
    before = told()
    assert before
    profit._ledgers.clear()  # another process
    asked = []
    read = trades.after
    monkeypatch.setattr(
        trades, "after", lambda session, since, **how: asked.append(since) or read(session, since, **how)
    )
    assert told() == before
    assert 0 not in asked  # no fill was read again
    with reading(desk.wiring.engine) as session:
        assert all(head.last_fill_id == asked[0] for head in trades.rollup_heads(session).values())


def test_a_second_wish_to_cancel_is_the_first_ones_command(desk: Desk) -> None:
    order = next(
        one.id for one in orders.listed(desk.wiring, desk.actor(Role.ADMIN)) if one.cancelable and one.symbol == "AAPL"
    )
    first = orders.request_cancel(desk.wiring, desk.actor(Role.ADMIN), order, key="a")
    assert orders.request_cancel(desk.wiring, desk.actor(Role.TRADER), order, key="b").id == first.id
