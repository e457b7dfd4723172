"""The risk page adds up what the bots wrote, says unknown where it is, and changes limits with a reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from bots.config import load
from console.services import kill, orders_at_once, risk
from console.services.risk import AccountRisk, MoreLimits
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict
from shared.models import BrokerageAccount, Command, Heartbeat, OrderRow, Owner, Role
from shared.store import exposure
from tests.console.desks import Desk

US = "미국 주식 1호"


def line(desk: Desk, role: Role = Role.ADMIN) -> AccountRisk:
    return next(one for one in risk.view(desk.wiring, desk.actor(role)).accounts if one.nickname == US)


def meters(desk: Desk) -> dict[str, tuple[Decimal | None, Decimal]]:
    return {one.name: (one.used, one.limit) for one in line(desk).meters}


def order(desk: Desk, number: int, side: str, qty: int, price: str | None, status: str, account: str = US) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        row = OrderRow(
            account_id=desk.accounts[account], client_order_id=f"r{number}", symbol="TSLA", side=side, qty=qty,
            price=None if price is None else Decimal(price), status=status, placed_at=now, updated_at=now,
            trade_date=risk._day(session.get_one(BrokerageAccount, desk.accounts[account]), None, now),
        )  # fmt: skip
        session.add(row)


def test_holdings_and_open_buys_are_counted_as_the_guards_count_them(desk: Desk) -> None:
    held = Decimal("212.44") * 14 + Decimal("428.9") * 6 + Decimal(208) * 10  # two positions, one open buy
    assert meters(desk)["max_account_amount"] == (held, Decimal(30_000))  # blank: the daily buy limit
    order(desk, 1, "BUY", 3, "100", "ACCEPTED")
    order(desk, 2, "SELL", 3, "101", "ACCEPTED")
    order(desk, 3, "BUY", 9, "1", "REJECTED")
    found = meters(desk)
    assert found["max_account_amount"][0] == held + 300
    assert (found["max_daily_buy"][0], found["max_trades_per_day"][0]) == (Decimal(300), Decimal(2))
    order(desk, 4, "BUY", 1, None, "ACCEPTED")
    assert meters(desk)["max_account_amount"][0] is None  # a market order's money is not known here
    with reading(desk.wiring.engine) as session:
        account = desk.accounts[US]
        mine = exposure.siblings(session, desk.wiring.clock.wall_now(), account)
        assert mine.accounts == 0  # the LIVE account is no sibling of a SIM one


def test_what_was_blocked_today_is_counted_by_reason_over_accounts_and_yesterday_is_not(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    told = {
        "국내 단타": {"cash": (7, 2, now.isoformat()), "collar": (2, 1, now.isoformat())},
        "모의 검증": {"cash": (1000, 1, (now - timedelta(days=2)).isoformat()), "no_such": (5, 1, now.isoformat())},
    }
    with writing(desk.wiring.engine) as session:
        for nickname, blocked in told.items():
            session.get_one(Heartbeat, desk.accounts[nickname]).detail = {"blocked": blocked}
    blocked = {one.code: one for one in risk.view(desk.wiring, desk.actor(Role.ADMIN)).blocked}
    assert blocked.keys() == {"cash", "collar"}
    assert (blocked["cash"].times, blocked["cash"].rules) == (7 + 37, 3)  # the desk's own rule said cash 37 times
    assert blocked["cash"].accounts == ("국내 단타", US) and blocked["collar"].times == 2


def test_one_owner_is_added_up_over_his_accounts_and_opposite_orders_are_named(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        first = session.get_one(BrokerageAccount, desk.accounts[US])
        twin = BrokerageAccount(
            owner_id=first.owner_id, nickname="쌍둥이", broker="KIS", market="US", environment="SIM", created_at=now
        )
        session.add(twin)
        session.flush()
        desk.accounts["쌍둥이"] = twin.id or 0
    order(desk, 1, "BUY", 3, "100", "ACCEPTED")
    order(desk, 2, "SELL", 3, "99", "ACCEPTED", "쌍둥이")
    admin = desk.actor(Role.ADMIN)
    risk.set_owner_limits(desk.wiring, admin, first.owner_id, None, Decimal(50_000), reason="상한")
    group = next(one for one in risk.view(desk.wiring, admin).owners if (one.environment, one.market) == ("SIM", "US"))
    assert (group.accounts, group.limit, group.opposite) == (2, Decimal(50_000), ("TSLA",))
    with reading(desk.wiring.engine) as session:
        assert session.get_one(Owner, first.owner_id).max_exposure_usd == 50_000
        told = exposure.siblings(session, now, desk.accounts["쌍둥이"])
    assert told.owner_limit == 50_000 and told.amount is not None
    assert group.amount == told.amount  # the twin holds nothing: all of it is elsewhere


def test_further_limits_reach_the_bot_and_need_a_reason(desk: Desk) -> None:
    admin, account = desk.actor(Role.ADMIN), desk.accounts[US]
    more = MoreLimits(Decimal(40_000), Decimal(500), 12, ("PRE",))
    with pytest.raises(Conflict):
        risk.set_more_limits(desk.wiring, admin, account, more, reason=" ")
    for bad in (MoreLimits(Decimal(-1), None, 12), MoreLimits(None, None, -1), MoreLimits(None, None, 1, ("NIGHT",))):
        with pytest.raises(Conflict):
            risk.set_more_limits(desk.wiring, admin, account, bad, reason="x")
    risk.set_more_limits(desk.wiring, admin, account, more, reason="넓힘")
    with reading(desk.wiring.engine) as session:
        config = load(session, account, frozenset())
    assert (config.limits.max_account_amount, config.limits.first_day_amount) == (40_000, 500)
    assert (config.limits.max_orders_per_minute, config.extended_hours) == (12, frozenset({"PRE"}))


def test_the_effective_level_is_the_highest_of_all_account_and_bot(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    kill.raise_level(desk.wiring, admin, KillLevel.NO_NEW, account_id=desk.accounts[US])
    assert (line(desk).kill, line(desk).effective) == (KillLevel.NO_NEW, KillLevel.NO_NEW)
    kill.raise_level(desk.wiring, admin, KillLevel.HALT)
    assert (line(desk).kill, line(desk).effective) == (KillLevel.NO_NEW, KillLevel.HALT)


def test_flattening_needs_the_typed_name_and_two_clicks_are_one_command(desk: Desk) -> None:
    trader, account = desk.actor(Role.TRADER), desk.accounts[US]
    with pytest.raises(Conflict):
        orders_at_once.flatten(desk.wiring, trader, account, key="k", confirm="미국", reason="x")
    for _ in range(2):
        orders_at_once.flatten(desk.wiring, trader, account, key="k", confirm=US, reason="정리")
        orders_at_once.cancel_all(desk.wiring, trader, account, key="c")
    with reading(desk.wiring.engine) as session:
        asked = session.exec(select(Command.kind).where(Command.account_id == account)).all()
    assert sorted(asked) == ["CANCEL_ALL", "FLATTEN"]


def test_a_viewer_sees_only_granted_accounts(desk: Desk) -> None:
    found = risk.view(desk.wiring, desk.actor(Role.VIEWER))
    assert "모의 검증" not in {one.nickname for one in found.accounts}
