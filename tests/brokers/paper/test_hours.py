"""Hours: which market takes which order when (markets.md §2, §3, §5, §7)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from brokers.paper.accounts import Profile
from brokers.paper.hours import Hours, Lane
from brokers.paper.listings import LISTINGS
from brokers.paper.orders import ExStatus, Reject, RejectReason
from brokers.paper.synthetic import SyntheticSource
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce
from shared.domain.sessions import KST
from tests.brokers.paper.floor_rig import Rig

STRICT = Hours(True, lambda: SyntheticSource("7"))


def kst(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=KST).astimezone(UTC)


def letters(lane: Lane, at: datetime) -> str:
    """M matches, O/C collects for an auction, e takes orders without matching, - closed; m, i: market, IOC taken."""
    stage = STRICT.stage(LISTINGS["005930" if lane in (Lane.KRX, Lane.NXT, Lane.SOR) else "AAPL"], lane, at)
    if stage is None:
        return "-"
    kind = "M" if stage.matches else stage.call.value[0].upper() if stage.call else "e"
    return kind + "m" * stage.market_orders + "i" * stage.at_once


@pytest.mark.parametrize(
    ("lane", "at", "wanted"),
    [
        (Lane.KRX, "24 08:29", "-"),
        (Lane.KRX, "24 08:30", "Om"),
        (Lane.KRX, "24 09:00", "Mmi"),
        (Lane.KRX, "24 15:20", "Cm"),
        (Lane.KRX, "24 15:30", "-"),
        (Lane.KRX, "24 15:45", "-"),
        (Lane.KRX, "24 16:00", "Mi"),
        (Lane.KRX, "24 20:00", "-"),
        (Lane.KRX, "19 09:30", "Om"),  # the day of the university entrance exam
        (Lane.KRX, "21 10:00", "-"),  # a Saturday
        (Lane.NXT, "24 07:59", "-"),
        (Lane.NXT, "24 08:00", "M"),
        (Lane.NXT, "24 08:50", "-"),
        (Lane.NXT, "24 09:00:29", "-"),
        (Lane.NXT, "24 09:00:30", "Mmi"),
        (Lane.NXT, "24 15:25", "-"),
        (Lane.NXT, "24 15:30", "e"),
        (Lane.NXT, "24 15:40", "M"),
        (Lane.NXT, "24 19:59", "M"),
        (Lane.SOR, "24 08:10", "M"),  # NXT
        (Lane.SOR, "24 08:55", "Om"),  # KRX
        (Lane.SOR, "24 10:00", "Mmi"),
        (Lane.US, "24 17:59", "-"),
        (Lane.US, "24 18:00", "M"),
        (Lane.US, "24 23:30", "Mmi"),
        (Lane.US, "25 06:00", "M"),
        (Lane.US, "26 23:45", "-"),  # Thanksgiving
        (Lane.US_DAY, "24 09:59", "-"),
        (Lane.US_DAY, "24 10:00", "M"),
        (Lane.US_DAY, "24 16:00", "-"),
        (Lane.US_DAY, "26 12:00", "-"),
    ],
)
def test_strict_keeps_the_timetable_of_each_lane(lane: Lane, at: str, wanted: str) -> None:
    assert letters(lane, kst(at)) == wanted


def refusing(rig: Rig, symbol: str, price: object = None, **how: object) -> RejectReason:
    with pytest.raises(Reject) as refused:
        rig.order(Side.BUY, symbol, 1, price, **how)  # type: ignore[arg-type]
    return refused.value.reason


def test_what_a_session_does_not_take_is_refused_by_name(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile=Profile.STRICT, at=kst("24 16:30"))
    assert refusing(rig, "005930") is RejectReason.NOT_IN_SESSION  # no market order in the after-market
    assert refusing(rig, "069500", 36_000) is RejectReason.NOT_TRADABLE  # nor a fund
    assert (
        refusing(rig, "005930", 71_000, venue=Venue.NXT, time_in_force=TimeInForce.IOC) is RejectReason.NOT_IN_SESSION
    )
    assert refusing(rig, "AAPL", 211, session=OrderSession.DAY_MARKET) is RejectReason.MARKET_CLOSED
    assert rig.buy("005930", 1, 60_000).status is ExStatus.OPEN
    rig.close()


def test_in_every_profile_a_venue_must_trade_the_share(rig: Rig) -> None:
    assert refusing(rig, "AAPL", 211, venue=Venue.NYSE) is RejectReason.UNKNOWN_SYMBOL
    assert refusing(rig, "005930", 71_000, venue=Venue.NASDAQ) is RejectReason.UNKNOWN_SYMBOL
    assert refusing(rig, "069500", 36_000, venue=Venue.NXT) is RejectReason.NOT_TRADABLE
    assert refusing(rig, "AAPL", 211, order_type=OrderType.LOC, session=OrderSession.DAY_MARKET) is (
        RejectReason.UNSUPPORTED_TYPE
    )
    assert refusing(rig, "005930", 71_000, session=OrderSession.DAY_MARKET) is RejectReason.UNSUPPORTED_TYPE


def test_one_order_cannot_have_more_shares_than_the_brokers_fields_hold(rig: Rig) -> None:
    with pytest.raises(Reject) as refused:
        rig.buy("AAPL", 100_000_000, 1)
    assert refused.value.reason is RejectReason.OVER_LIMIT


@pytest.mark.parametrize("venue", [Venue.KRX, Venue.NXT, Venue.SOR])
def test_compat_trades_every_korean_venue_at_any_time(rig: Rig, venue: Venue) -> None:
    order = rig.order(Side.BUY, "005930", 3, 75_000, venue=venue)
    rig.run(2)
    assert (order.status, order.venue) == (ExStatus.FILLED, venue)


def test_day_market_orders_trade_in_their_own_window_and_end_with_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile=Profile.STRICT, at=kst("24 15:58"))
    order = rig.order(Side.BUY, "AAPL", 3, 230, session=OrderSession.DAY_MARKET)
    waiting = rig.order(Side.BUY, "AAPL", 3, 150, session=OrderSession.DAY_MARKET)
    assert refusing(rig, "AAPL", 230) is RejectReason.MARKET_CLOSED  # the regular order's hours are others
    rig.run(2)
    assert order.status is ExStatus.FILLED
    rig.run(120)
    assert waiting.status is ExStatus.EXPIRED
    rig.close()


def test_an_nxt_order_lives_through_the_breaks_until_the_evening(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile=Profile.STRICT, at=kst("24 08:10"))
    order = rig.order(Side.BUY, "005930", 3, 60_000, venue=Venue.NXT)
    for when in ("24 08:55", "24 15:25", "24 16:00", "24 19:59"):
        rig.until(kst(when))
        assert order.status is ExStatus.OPEN
    rig.until(kst("24 20:00"))
    assert order.status is ExStatus.EXPIRED
    rig.close()


def test_a_korean_order_of_the_day_does_not_reach_the_after_market(tmp_path: Path) -> None:
    rig = Rig(tmp_path, profile=Profile.STRICT, at=kst("24 15:19"))
    order = rig.buy("005930", 3, 60_000)
    rig.until(kst("24 15:31"))
    assert order.status is ExStatus.EXPIRED
    assert rig.exchange.next_auction(Market.KRX) is None
    rig.close()
