"""Fifty tabs ask the store as often as one: a reading is shown again until a number of the store moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from console.services import accounts, alerts, changes, events, holdings, logs, market, orders, overview, rules, system
from shared.db import reading, writing
from shared.models import AccountGrant, BrokerageAccount, Heartbeat, OrderRow, Role
from shared.store import audit, heartbeats
from shared.store.changes import Numbers, numbers
from shared.store.panels import LogFilter
from tests.console.desks import Desk
from tests.fakes import FakeClock

PANELS = {
    "overview": lambda desk, who: overview.overview(desk.wiring, who),
    "waiting": lambda desk, who: alerts.inbox(desk.wiring, who),
    "events": lambda desk, who: events.recent(desk.wiring, who),
    "equity": lambda desk, who: holdings.equity_curves(desk.wiring, who, timedelta(days=1)),
    "positions": lambda desk, who: holdings.positions(desk.wiring, who),
    "cash": lambda desk, who: holdings.cash(desk.wiring, who),
    "orders": lambda desk, who: orders.listed(desk.wiring, who),
    "fills": lambda desk, who: orders.fills(desk.wiring, who),
    "logs": lambda desk, who: logs.newest(desk.wiring, who, LogFilter()),
    "quotes": lambda desk, who: market.quotes(desk.wiring, who),
    "bots": lambda desk, who: system.bots(desk.wiring, who),
}


@pytest.fixture
def sharing() -> Iterator[None]:
    changes.share(0.000001)  # the numbers are asked on every look
    yield
    changes.share(0)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_whose_numbers_stand_still_asks_for_nothing_but_the_numbers(
    desk: Desk, sharing: None, panel: str
) -> None:
    who, asked = desk.actor(Role.ADMIN), []
    first = PANELS[panel](desk, who)
    event.listen(desk.wiring.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert PANELS[panel](desk, who) is first
    assert len([statement for statement in asked if statement != "BEGIN"]) == 1


def test_a_bot_that_wrote_something_is_seen_at_the_next_look(desk: Desk, sharing: None) -> None:
    who, account = desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"]
    before = orders.listed(desk.wiring, who)
    with writing(desk.wiring.engine) as session:
        row = session.exec(select(OrderRow).where(OrderRow.status == "ACCEPTED")).one()
        row.status = "CANCELED"
        beat = session.get_one(Heartbeat, account)
        heartbeats.moved(session, account, beat.change_number + 1)
    after = orders.listed(desk.wiring, who)
    assert after is not before
    assert [one.status for one in after if one.id == row.id] == ["CANCELED"]


def test_what_a_person_did_is_seen_at_the_next_look(desk: Desk, sharing: None) -> None:
    who, account = desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"]
    assert overview.overview(desk.wiring, who).running("SIM") == 2
    with reading(desk.wiring.engine) as session:
        before = numbers(session)
    rules.switch(desk.wiring, who, 1, enabled=False)
    with reading(desk.wiring.engine) as session:
        assert numbers(session) != before
    assert account in {line.id for line in overview.overview(desk.wiring, who).lines}


def test_bots_that_trade_all_the_time_cost_one_reading_in_a_while_and_a_persons_deed_is_seen_at_once(
    desk: Desk, sharing: None
) -> None:
    changes.share(0.000001, rest_s=600)
    who, account = desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"]
    before = orders.listed(desk.wiring, who)
    with writing(desk.wiring.engine) as session:
        beat = session.get_one(Heartbeat, account)
        heartbeats.moved(session, account, beat.change_number + 1)
    assert orders.listed(desk.wiring, who) is before
    rules.switch(desk.wiring, who, 1, enabled=False)
    assert orders.listed(desk.wiring, who) is not before


def test_people_with_other_accounts_never_share(desk: Desk, sharing: None) -> None:
    everything = orders.listed(desk.wiring, desk.actor(Role.ADMIN))
    some = orders.listed(desk.wiring, desk.actor(Role.VIEWER))
    assert {one.account_id for one in everything} == {1, 2}
    assert orders.listed(desk.wiring, desk.actor(Role.TRADER)) is some  # the same accounts: one reading


def test_a_grant_that_ended_ends_the_look(desk: Desk, sharing: None) -> None:
    viewer = desk.actor(Role.VIEWER)
    assert {one.account_id for one in orders.listed(desk.wiring, viewer)} == {1, 2}
    with writing(desk.wiring.engine) as session:
        for grant in session.exec(select(AccountGrant).where(AccountGrant.account_id == 1)):
            session.delete(grant)
        audit.record(
            session, desk.wiring.clock.wall_now(), actor="user:3", actor_user_id=3, action="user.manage",
            target="user:1", source="console",
        )  # fmt: skip
    assert {one.account_id for one in orders.listed(desk.wiring, viewer)} == {2}


def test_silence_is_seen_although_no_number_moves(desk: Desk, sharing: None) -> None:
    who, account = desk.actor(Role.ADMIN), desk.accounts["국내 단타"]
    changes.share(0.000001)
    with writing(desk.wiring.engine) as session:
        session.get_one(Heartbeat, account).at -= timedelta(minutes=5)
    changes.share(0.000001)  # as a second later: what depends on the time is not held longer
    line = next(one for one in overview.overview(desk.wiring, who).lines if one.id == account)
    assert line.status == "SILENT"


@pytest.fixture
def kept(desk: Desk) -> Iterator[tuple[Desk, FakeClock]]:
    """The desk as the console's process serves it, with a clock in hand."""
    clock = FakeClock(datetime.now(UTC))
    changes.share(0.5, rest_s=1.0)
    yield replace(desk, wiring=replace(desk.wiring, clock=clock)), clock
    changes.share(0)


def _a_second_later(kept: tuple[Desk, FakeClock]) -> None:
    desk, clock = kept
    clock.pass_s(1.0)
    changes.keep_up(desk.wiring, 1.0)


def _key(desk: Desk, read: Callable[..., object]) -> changes._Key:
    """Under which this desk's reading is held: other tests' desks are held too."""
    store = str(desk.wiring.engine.url)
    return next(key for key in changes._held if key[0] is read.__wrapped__ and key[1] == store)  # type: ignore[attr-defined]


def _asked(desk: Desk) -> list[str]:
    asked: list[str] = []
    event.listen(
        desk.wiring.engine, "before_cursor_execute", lambda *told: asked.append(told[2]) if told[2] != "BEGIN" else None
    )
    return asked


def _cancel_an_order(desk: Desk) -> int:
    """As a bot does it: the row, and its number."""
    with writing(desk.wiring.engine) as session:
        row = session.exec(select(OrderRow).where(OrderRow.status == "ACCEPTED")).one()
        row.status = "CANCELED"
        beat = session.get_one(Heartbeat, row.account_id)
        heartbeats.moved(session, row.account_id, beat.change_number + 1)
        return row.id or 0


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_that_somebody_looks_at_asks_for_nothing_when_bots_traded(
    kept: tuple[Desk, FakeClock], panel: str
) -> None:
    desk, clock = kept
    who = desk.actor(Role.ADMIN)
    PANELS[panel](desk, who)
    _cancel_an_order(desk)
    _a_second_later(kept)
    clock.pass_s(0.9)
    asked = _asked(desk)
    PANELS[panel](desk, who)
    assert asked == []


def test_what_a_bot_did_is_shown_after_the_next_pass(kept: tuple[Desk, FakeClock]) -> None:
    desk, _clock = kept
    who = desk.actor(Role.ADMIN)
    changes.keep_up(desk.wiring, 1.0)
    before = overview.overview(desk.wiring, who)
    _a_second_later(kept)
    order = _cancel_an_order(desk)
    _a_second_later(kept)
    after = overview.overview(desk.wiring, who)
    assert sum(line.open_orders for line in after.lines) == sum(line.open_orders for line in before.lines) - 1
    assert order not in {one.id for one in orders.listed(desk.wiring, who) if one.status == "ACCEPTED"}


def test_what_a_person_did_is_seen_at_once_while_panels_are_kept_up(kept: tuple[Desk, FakeClock]) -> None:
    desk, _clock = kept
    who = desk.actor(Role.ADMIN)
    before = overview.overview(desk.wiring, who)
    _a_second_later(kept)
    rules.switch(desk.wiring, who, 1, enabled=False)
    changes.forget()
    assert overview.overview(desk.wiring, who) is not before
    assert [one.enabled for one in rules.listed(desk.wiring, who) if one.id == 1] == [False]


def test_numbers_asked_for_before_a_deed_are_not_taken_for_those_after_it(
    kept: tuple[Desk, FakeClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = kept

    def slowly(session: Session) -> Numbers:
        found = numbers(session)
        changes.forget()  # somebody acts while the answer is on its way
        return found

    monkeypatch.setattr(changes, "numbers", slowly)
    changes.now(desk.wiring)
    monkeypatch.setattr(changes, "numbers", numbers)
    asked = _asked(desk)
    changes.now(desk.wiring)
    assert len(asked) == 1


def test_nobody_looks_nothing_is_asked(kept: tuple[Desk, FakeClock]) -> None:
    desk, _clock = kept
    overview.overview(desk.wiring, desk.actor(Role.ADMIN))
    for _ in range(9):  # kept up for a while after the tab was closed
        _a_second_later(kept)
    asked = _asked(desk)
    _a_second_later(kept)
    assert asked == []


def test_panels_ask_for_themselves_when_nobody_keeps_them_up(kept: tuple[Desk, FakeClock]) -> None:
    desk, clock = kept
    who = desk.actor(Role.ADMIN)
    before = orders.listed(desk.wiring, who)
    _a_second_later(kept)
    order = _cancel_an_order(desk)
    clock.pass_s(4.0)  # the one who keeps them up hangs
    after = orders.listed(desk.wiring, who)
    assert after is not before
    assert [one.status for one in after if one.id == order] == ["CANCELED"]


def test_a_reading_of_long_ago_is_not_shown_to_the_second_who_asks(kept: tuple[Desk, FakeClock]) -> None:
    desk, clock = kept
    who = desk.actor(Role.ADMIN)
    orders.listed(desk.wiring, who)
    order = _cancel_an_order(desk)
    clock.pass_s(600.0)
    key = _key(desk, orders.listed)
    changes._being_read.add(key)  # somebody else is reading it just now
    try:
        seen = orders.listed(desk.wiring, who)
    finally:
        changes._being_read.discard(key)
    assert [one.status for one in seen if one.id == order] == ["CANCELED"]


def test_what_a_person_did_is_seen_though_somebody_else_is_reading_just_then(kept: tuple[Desk, FakeClock]) -> None:
    """Who keeps the panels up may be in the middle of it, with what was there before."""
    desk, _ = kept
    who = desk.actor(Role.ADMIN)
    assert overview.overview(desk.wiring, who).running("SIM") == 2
    key = _key(desk, overview.overview)
    changes._being_read.add(key)
    try:
        accounts.stop(desk.wiring, who, desk.accounts["미국 주식 1호"])
        changes.forget()
        assert overview.overview(desk.wiring, who).running("SIM") == 1
    finally:
        changes._being_read.discard(key)


def test_what_is_written_back_is_read_at_that_moment(desk: Desk) -> None:
    """A change of one limit keeps the others as they are now, not as a page was shown them a moment ago."""
    who, account = desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"]
    changes.share(600.0)
    try:
        seen = accounts.shown(desk.wiring, who, account).max_daily_loss
        rows = len(rules.shown(desk.wiring, who))
        with writing(desk.wiring.engine) as session:  # by another process
            session.get_one(BrokerageAccount, account).max_daily_loss = seen + 1
        text = rules.opened(desk.wiring, who, 1).version.text
        made = rules.add_rule(desk.wiring, who, account, text)
        assert accounts.detail(desk.wiring, who, account).max_daily_loss == seen + 1
        assert (
            made in {one.id for one in rules.listed(desk.wiring, who)}
            and len(rules.listed(desk.wiring, who)) == rows + 1
        )
    finally:
        changes.share(0)
