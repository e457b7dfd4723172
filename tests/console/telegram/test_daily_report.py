"""The daily report: the market's own day, at the chosen time, once each, whatever one chat does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web
from sqlmodel import delete, select
from telegram import Bot

from console.services import daily, overview
from console.telegram.daily_report import DailyReports, due_on
from shared.calendars import load
from shared.db import reading, writing
from shared.domain.account import Environment, Market
from shared.domain.turns import sessions_of
from shared.models import CashFlow, EquitySnapshot, FillRow, Role, TelegramLink
from shared.store.people import link_telegram
from tests.console.desks import Desk
from tests.console.telegram.bot_api import TOKEN, bot_api

US, MOCK = "미국 주식 1호", "모의 검증"
SESSIONS = {market: sessions_of(market, load()) for market in Market}


def line(desk: Desk, name: str, **changes: object) -> overview.AccountLine:
    from dataclasses import replace

    found = next(one for one in overview.overview(desk.wiring, desk.actor(Role.ADMIN)).lines if one.nickname == name)
    return replace(found, **changes)


@pytest.mark.parametrize(
    ("market", "now", "day"),
    [
        (Market.US, "2026-11-20T16:00+09:00", "2026-11-19T00:00-05:00"),  # in Seoul's afternoon: the night before
        (Market.US, "2026-11-20T23:40+09:00", "2026-11-20T00:00-05:00"),  # it has opened
        (Market.US, "2026-11-27T16:00+09:00", "2026-11-25T00:00-05:00"),  # Thanksgiving: the day before it
        (Market.KRX, "2026-11-20T16:00+09:00", "2026-11-20T00:00+09:00"),
        (Market.KRX, "2026-11-22T16:00+09:00", "2026-11-20T00:00+09:00"),  # a Sunday: Friday
        (Market.KRX, "2026-11-19T09:30+09:00", "2026-11-18T00:00+09:00"),  # 수능일 opens at ten
    ],
)
def test_the_day_is_the_markets_last_one_that_began(desk: Desk, market: Market, now: str, day: str) -> None:
    live = line(desk, US, market=market.value, environment=Environment.LIVE)
    assert daily.began(live, datetime.fromisoformat(now), SESSIONS[market]) == datetime.fromisoformat(day)


def test_every_fill_of_the_day_counts_and_money_paid_in_is_no_gain(desk: Desk) -> None:
    account, now = desk.accounts[US], desk.wiring.clock.wall_now()
    start = daily.began(line(desk, US), now, SESSIONS[Market.US])
    with writing(desk.wiring.engine) as session:
        session.execute(delete(EquitySnapshot).where(EquitySnapshot.account_id == account))  # type: ignore[arg-type]
        for at, dollars in ((start - timedelta(hours=1), 1000), (now, 1750)):
            session.add(
                EquitySnapshot(account_id=account, at=at, currency="USD", equity=Decimal(dollars), cash=Decimal(0))
            )
        session.add(
            CashFlow(account_id=account, at=now, amount=Decimal(700), currency="USD", recorded_by="t", recorded_at=now)
        )
        some = session.exec(select(FillRow).where(FillRow.account_id == account)).first()
        assert some is not None
        session.execute(delete(FillRow).where(FillRow.account_id == account))  # type: ignore[arg-type]
        for number in range(230):  # more than any page shows
            session.add(
                FillRow(
                    order_id=some.order_id, account_id=account, execution_id=f"n{number}", symbol="AAPL", side="SELL", qty=1,
                    price=Decimal(200), currency="USD", realized_pnl=Decimal("0.10"), filled_at=now, recorded_at=now,
                )
            )  # fmt: skip
    made = next(one for one in daily.report(desk.wiring, desk.actor(Role.ADMIN)).lines if one.account_id == account)
    assert (made.fills, made.realized, made.pnl) == (230, Decimal("23.00"), Decimal(50))


def test_a_report_is_due_for_two_hours_once_also_over_midnight() -> None:
    link = TelegramLink(user_id=1, telegram_id=1, created_at=datetime.now(UTC), report_at="23:30", zone="Asia/Seoul")
    at = {
        hour: datetime.fromisoformat(f"2026-11-{hour}+09:00")
        for hour in ("20T23:29", "20T23:30", "21T00:20", "21T01:30")
    }
    assert [due_on(link, one) for one in at.values()] == [None, "2026-11-20", "2026-11-20", None]
    link.reported_on = "2026-11-20"
    assert due_on(link, at["21T00:20"]) is None


async def test_one_who_blocked_us_and_an_outage_hold_up_nobodys_report(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        for telegram_id, role in ((41, Role.VIEWER), (42, Role.ADMIN), (43, Role.TRADER)):
            row = link_telegram(session, now, desk.users[role], telegram_id)
            row.report_at = f"{now.astimezone(UTC) - timedelta(minutes=5):%H:%M}"
            row.zone = "UTC"
            session.add(row)
    async with bot_api() as api, Bot(TOKEN, base_url=f"{api.url}/bot") as bot:
        reports = DailyReports(desk.wiring, bot)
        api.blocked.add(41)
        # Two people are asked before the outage ends: the first is blocked, the second meets it.
        api.answers.append(web.Response(status=403, body=b'{"ok":false,"error_code":403,"description":"Forbidden"}'))
        api.answers.append(web.Response(status=502, text="<html>"))
        assert await reports.send_due() == 1
        assert await reports.send_due() == 0, "not at once again"
        again = DailyReports(desk.wiring, bot)
        assert await again.send_due() == 1
        assert sorted(form["chat_id"] for form in api.photos) == ["42", "43"]
        assert all("sim" in form["caption"].lower() for form in api.photos)
        assert await again.send_due() == 0
    with reading(desk.wiring.engine) as session:
        assert all(row.reported_on for row in session.exec(select(TelegramLink)))
