"""Each session takes the orders that markets.md §7 says it takes, at the venue's own hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bots.risk.sessions import order_refusal
from bots.trading_hours import TradingHours
from shared import calendars
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, TimeInForce
from shared.domain.sessions import SessionState, Timetable

KST = ZoneInfo("Asia/Seoul")
S, L, M, D, I = SessionState, OrderType.LIMIT, OrderType.MARKET, TimeInForce.DAY, TimeInForce.IOC  # noqa: E741


@pytest.mark.parametrize(
    ("state", "timetable", "kind", "lasting", "takes"),
    [
        (S.CONTINUOUS, Timetable.KRX, M, D, True),
        (S.CONTINUOUS, Timetable.KRX, L, I, True),
        (S.CLOSE_AUCTION, Timetable.KRX, M, D, True),
        (S.CLOSE_AUCTION, Timetable.KRX, L, I, False),
        (S.PRE, Timetable.NXT, L, D, True),
        (S.PRE, Timetable.NXT, M, D, False),
        (S.PRE, Timetable.NXT, M, I, False),
        (S.MAIN, Timetable.NXT, M, D, False),
        (S.MAIN, Timetable.NXT, M, I, True),
        (S.AFTER, Timetable.NXT, L, D, True),
        (S.REGULAR, Timetable.KIS_US, M, D, True),
        (S.REGULAR, Timetable.KIS_US, OrderType.LOC, D, True),
        (S.PRE, Timetable.KIS_US, L, D, True),
        (S.PRE, Timetable.KIS_US, M, D, False),
        (S.AFTER, Timetable.KIS_US, OrderType.LOC, D, False),
        (S.DAY, Timetable.KIS_US, L, I, False),
    ],
)
def test_a_session_takes_only_the_orders_it_knows(
    state: SessionState, timetable: Timetable, kind: OrderType, lasting: TimeInForce, takes: bool
) -> None:
    assert (order_refusal(state, timetable, kind, lasting) is None) is takes


def hours(market: Market, broker: BrokerName = BrokerName.KIS) -> TradingHours:
    return TradingHours(AccountKey(1, broker, market, Environment.LIVE, 1), calendars.load())


@pytest.mark.parametrize(
    ("at", "market", "venue", "usual", "extended"),
    [
        ("2026-11-19 10:00", Market.KRX, Venue.KRX, True, True),
        ("2026-11-20 08:10", Market.KRX, Venue.KRX, False, False),  # KRX has no continuous pre-market
        ("2026-11-20 08:10", Market.KRX, Venue.NXT, False, True),
        ("2026-11-20 10:00", Market.KRX, Venue.NXT, True, True),
        ("2026-11-20 15:25", Market.KRX, Venue.NXT, False, False),  # NXT pauses in the closing auction
        ("2026-11-20 15:25", Market.KRX, Venue.SOR, True, True),
        ("2026-11-20 19:00", Market.KRX, Venue.NXT, False, True),
        ("2026-11-20 19:00", Market.KRX, Venue.KRX, False, False),
        ("2026-11-21 10:00", Market.KRX, Venue.SOR, False, False),  # a Saturday
        ("2026-11-20 23:00", Market.US, Venue.NASDAQ, False, True),  # 09:00 in New York
        ("2026-11-20 23:30", Market.US, Venue.NASDAQ, True, True),
        ("2026-11-21 05:59", Market.US, Venue.NASDAQ, True, True),
        ("2026-11-21 06:30", Market.US, Venue.NASDAQ, False, True),
        ("2026-11-20 11:00", Market.US, Venue.NASDAQ, False, False),  # 주간거래: another book, not sent to
    ],
)
def test_the_window_is_the_venues_own_in_korean_time(
    at: str, market: Market, venue: Venue, usual: bool, extended: bool
) -> None:
    now, one = datetime.fromisoformat(at).replace(tzinfo=KST), hours(market)
    assert (one.refusal(now, venue, L, D) is None) is usual
    one.extend(frozenset({"PRE", "AFTER", "NONSENSE"}))
    assert (one.refusal(now, venue, L, D) is None) is extended


def test_a_market_order_is_refused_outside_the_regular_session_even_when_it_is_traded() -> None:
    now, one = datetime(2026, 11, 20, 23, 0, tzinfo=KST), hours(Market.US)
    one.extend(frozenset({"PRE"}))
    assert "지정가" in (one.refusal(now, Venue.NASDAQ, M, D) or "")


@pytest.mark.parametrize(
    ("at", "market", "day"),
    [
        ("2026-11-20 17:59+09:00", Market.KRX, "2026-11-20"),
        (
            "2026-11-20 18:30+09:00",
            Market.KRX,
            "2026-11-20",
        ),  # KRX is over, NXT is not: a Friday's order is no Monday's
        ("2026-11-20 19:59+09:00", Market.KRX, "2026-11-20"),
        ("2026-11-20 20:00+09:00", Market.KRX, "2026-11-23"),
        ("2026-11-22 12:00+09:00", Market.KRX, "2026-11-23"),
        ("2024-11-20 18:30+09:00", Market.KRX, "2024-11-21"),  # before there was NXT
        ("2026-11-20 16:59-05:00", Market.US, "2026-11-20"),
        ("2026-11-20 17:00-05:00", Market.US, "2026-11-23"),  # KIS ends its after-market at 07:00 KST
    ],
)
def test_a_trade_date_ends_with_the_last_venue_of_its_market(at: str, market: Market, day: str) -> None:
    assert hours(market).trade_date(datetime.fromisoformat(at)).isoformat() == day
