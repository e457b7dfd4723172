"""Fifty tabs ask the store as often as one: a reading is shown again until a number of the store moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from console.services import alerts, changes, events, holdings, logs, market, orders, overview, rules, system
from shared.db import reading, writing
from shared.models import AccountGrant, Heartbeat, OrderRow, Role
from shared.store import audit, heartbeats
from shared.store.changes import numbers
from shared.store.panels import LogFilter
from tests.console.desks import Desk

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
