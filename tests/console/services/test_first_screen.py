"""The first screen: each thing told once, grave things never behind others, no figure where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlmodel import col, delete, select

from console.services import alerts, events, incidents, market_clock, overview, profit
from console.services.alerts import TOLD_BY_ORDERS
from console.services.incidents import Kind
from shared.db import reading, writing
from shared.domain.account import Market
from shared.models import Alert, EquitySnapshot, Role
from shared.store import alerts as stored
from shared.store import retention
from shared.words import alert_text
from tests.console.desks import Desk
from tests.console.services.test_money import fill
from tests.fakes import FakeClock

US, KRX = "미국 주식 1호", "국내 단타"


def told(desk: Desk, kind: str, severity: str, at: datetime, key: str) -> None:
    with writing(desk.wiring.engine) as session:
        account = desk.accounts[US]
        session.add(
            Alert(account_id=account, kind=kind, severity=severity, dedup_key=key, created_at=at, last_at=at,
                  params={"symbol": "AAPL", "side": "BUY", "quantity": 3, "price": "211.5", "currency": "USD"})
        )  # fmt: skip


def test_a_trade_is_one_line_among_recent_events_and_none_among_incidents(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    for n, kind in enumerate(sorted(TOLD_BY_ORDERS)):
        told(desk, kind, "info", now, f"trade{n}")
    told(desk, "STOP_HIT", "warning", now, "stop")
    admin = desk.actor(Role.ADMIN)
    shown = {one.alert.kind for one in events.recent(desk.wiring, admin) if one.alert is not None}
    assert "STOP_HIT" in shown and not shown & TOLD_BY_ORDERS
    happened = incidents.timeline(desk.wiring, admin, timedelta(hours=1), kinds=frozenset({Kind.ALERT}))
    assert "STOP_HIT" in {one.code for one in happened} and not {one.code for one in happened} & TOLD_BY_ORDERS


def test_a_grave_alert_is_first_however_many_fills_were_told_since(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    told(desk, "NEEDS_OPERATOR", "critical", now - timedelta(hours=5), "grave")
    for n in range(120):
        told(desk, "FILL", "info", now - timedelta(seconds=n), f"fill{n}")
    shown = alerts.inbox(desk.wiring, desk.actor(Role.ADMIN), limit=100)
    assert (shown[0].kind, shown[0].severity) == ("NEEDS_OPERATOR", "critical")
    assert len(shown) == 100
    assert [one.last_at for one in shown if one.kind == "FILL"] == sorted(
        (one.last_at for one in shown if one.kind == "FILL"), reverse=True
    )


def test_what_only_informs_counts_as_seen_after_a_while_and_a_warning_never_does(desk: Desk) -> None:
    old = desk.wiring.clock.wall_now() - timedelta(days=8)
    told(desk, "FILL", "info", old, "fill")
    told(desk, "STOP_HIT", "warning", old, "stop")
    with writing(desk.wiring.engine) as session:
        retention.step(session, desk.wiring.clock.wall_now())
    with reading(desk.wiring.engine) as session:
        seen = {one.dedup_key: one.acknowledged_by for one in session.exec(select(Alert)) if one.last_at == old}
    assert seen == {"fill": stored.ENDED_BY, "stop": ""}


def test_a_fill_is_told_with_its_currency() -> None:
    filled = {"symbol": "005930", "side": "BUY", "quantity": 10, "price": "71500", "currency": "KRW"}
    assert alert_text("FILL", "ko", filled) == "체결: 005930 매수 10주 @ ₩71,500"
    assert alert_text("FILL", "en", {**filled, "price": "211.5", "currency": "USD"}).endswith("@ $211.5")


def equity(desk: Desk, *told: tuple[datetime, str]) -> overview.AccountLine:
    """The account's line when these are all its records of equity."""
    account = desk.accounts[US]
    with writing(desk.wiring.engine) as session:
        session.execute(delete(EquitySnapshot).where(col(EquitySnapshot.account_id) == account))
        for at, worth in told:
            session.add(
                EquitySnapshot(account_id=account, at=at, currency="USD", equity=Decimal(worth), cash=Decimal(1))
            )
    return overview.overview(desk.wiring, desk.actor(Role.ADMIN), only=account).lines[0]


def test_todays_result_is_unknown_until_there_are_two_records_of_equity(desk: Desk) -> None:
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)  # in New York
    there = replace(desk, wiring=replace(desk.wiring, clock=FakeClock(noon)))
    first = equity(there, (noon - timedelta(minutes=2), "100000"))
    assert first.pnl_today is None and first.first_today
    view = overview.overview(there.wiring, there.actor(Role.ADMIN), only=there.accounts[US])
    assert view.sums[0].pnl_today == () and view.sums[0].pnl_first
    second = equity(there, (noon - timedelta(minutes=2), "100000"), (noon - timedelta(minutes=1), "100007"))
    assert second.pnl_today is not None and second.pnl_today.amount == 7 and not second.first_today


def test_what_an_account_earned_on_its_last_day_is_no_result_of_today(desk: Desk) -> None:
    noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
    there = replace(desk, wiring=replace(desk.wiring, clock=FakeClock(noon)))
    line = equity(there, (noon - timedelta(days=2), "100000"), (noon - timedelta(days=1), "100500"))
    assert line.pnl_today is None and not line.first_today
    assert line.equity is not None and line.equity.amount == 100500  # the last that is known, with its age


def test_the_korean_day_is_in_the_statement_from_its_midnight_on(desk: Desk) -> None:
    early = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # 08:30 in Seoul, of the 21st
    fill(desk, KRX, "BUY", 3, "71000", "2026-11-21T08:20+09:00", "005930")
    today = market_clock.today(early)
    assert today.isoformat() == "2026-11-21" and market_clock.today(early, Market.US).isoformat() == "2026-11-20"
    found = profit.statement(desk.wiring, desk.actor(Role.ADMIN), today, today)
    assert [day.bought for day in found.days if day.account_id == desk.accounts[KRX]] == [Decimal(213000)]
