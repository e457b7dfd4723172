"""Reserved orders: they wait for the next open, may be taken back, and are checked when they are sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.orders import Reject, RejectReason, Reservation, ReservationStatus
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side
from shared.domain.sessions import KST
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, Rig


def reserve(
    rig: Rig, symbol: str = "AAPL", quantity: int = 3, price: object = 230, side: Side = Side.BUY
) -> Reservation:
    listing = rig.exchange.listing(symbol)
    assert listing is not None
    return rig.exchange.reserve(
        rig.kis, market=listing.market, symbol=symbol, side=side, quantity=quantity,
        price=None if price is None else Decimal(str(price)),
        order_type=OrderType.MOO if price is None else OrderType.LIMIT, venue=listing.venue,
    )  # fmt: skip


def test_a_reservation_is_sent_at_the_next_open_and_trades_like_any_order(rig: Rig) -> None:
    one = reserve(rig)
    assert (one.no, one.status, one.sends_at) == (1, ReservationStatus.WAITING, SUNDAY_NIGHT + timedelta(minutes=5))
    assert rig.exchange.open_orders(rig.kis, Market.US) == []
    rig.run(303)
    assert one.status is ReservationStatus.SENT and one.order_no is not None
    order = rig.exchange.order(rig.kis, one.order_no)
    assert order is not None and order.filled == 3 and order.session is OrderSession.RESERVED


def test_a_reservation_survives_a_restart_and_can_be_taken_back(rig: Rig) -> None:
    one, two = reserve(rig), reserve(rig, "005930", 5, 70_000)
    rig.again()
    today = rig.exchange.trade_date(Market.US)
    assert rig.exchange.reservations(rig.kis, Market.US, today, today) == [one]
    canceled = rig.exchange.cancel_reservation(rig.kis, two.no)
    assert canceled.status is ReservationStatus.CANCELED
    rig.run(302)
    assert [row[3] for row in rig.ledger("ORDER")] == ["AAPL"]
    for no, reason in ((two.no, RejectReason.ALREADY_DONE), (77, RejectReason.UNKNOWN_ORDER)):
        with pytest.raises(Reject) as refused:
            rig.exchange.cancel_reservation(rig.kis, no)
        assert refused.value.reason is reason


def test_another_account_cannot_take_a_reservation_back(rig: Rig) -> None:
    one = reserve(rig)
    other = rig.exchange.account(BrokerName.KIS, ExEnv.LIVE, "87654321-01")
    with pytest.raises(Reject) as refused:
        rig.exchange.cancel_reservation(other, one.no)
    assert refused.value.reason is RejectReason.UNKNOWN_ORDER
    today = rig.exchange.trade_date(Market.US)
    assert rig.exchange.reservations(other, Market.US, today, today) == []


def test_what_the_account_lacks_shows_when_the_reservation_is_sent(rig: Rig) -> None:
    one = reserve(rig, quantity=10_000)
    rig.run(302)
    assert one.status is ReservationStatus.REFUSED and "INSUFFICIENT_CASH" in one.text
    assert rig.ledger("REJECT")[-1][-1] == "INSUFFICIENT_CASH"


def test_what_no_session_would_take_is_refused_at_once_and_written_down(rig: Rig) -> None:
    for price, quantity, reason in ((230, 0, RejectReason.BAD_QUANTITY), ("230.001", 1, RejectReason.BAD_TICK)):
        with pytest.raises(Reject) as refused:
            reserve(rig, quantity=quantity, price=price)
        assert refused.value.reason is reason
        assert rig.ledger("REJECT")[-1][-1] == reason
    with pytest.raises(Reject) as refused:
        rig.exchange.reserve(
            rig.kis, market=Market.US, symbol="AAPL", side=Side.BUY, quantity=1, price=Decimal(230),
            order_type=OrderType.LIMIT, venue=Venue.NYSE,
        )  # fmt: skip
    assert refused.value.reason is RejectReason.UNKNOWN_SYMBOL


@pytest.mark.parametrize(
    ("symbol", "price", "at", "sends_at"),
    [
        ("AAPL", 230, "24 15:00", datetime(2026, 11, 24, 14, 30, tzinfo=UTC)),
        ("AAPL", 230, "24 16:40", None),  # the broker's pause
        ("AAPL", 230, "24 23:25", None),  # ten minutes before the open
        ("005930", 70_000, "24 16:00", datetime(2026, 11, 25, 0, 0, tzinfo=UTC)),
        ("005930", 70_000, "24 23:50", None),  # the night batch
        ("005930", 70_000, "24 10:00", None),  # the market is open
    ],
)
def test_strict_takes_reservations_in_the_brokers_hours(
    tmp_path: Path, symbol: str, price: int, at: str, sends_at: datetime | None
) -> None:
    when = datetime.fromisoformat(f"2026-11-{at}").replace(tzinfo=KST).astimezone(UTC)
    rig = Rig(tmp_path, profile=Profile.STRICT, at=when)
    if sends_at is None:
        with pytest.raises(Reject) as refused:
            reserve(rig, symbol, 1, price)
        assert refused.value.reason is RejectReason.NOT_IN_SESSION
    else:
        assert reserve(rig, symbol, 1, price).sends_at == sends_at
    rig.close()
