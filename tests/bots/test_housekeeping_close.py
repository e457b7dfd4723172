"""Before the close: what the account wants of unfilled orders, inside the collar, and never by cancelling an exit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bots.clearance import Clearance
from bots.config import AtClose
from bots.housekeeping import Housekeeping
from bots.risk.snapshot import Limits
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.instrument import Instrument, Venue
from shared.domain.money import Currency
from shared.domain.order import OrderType, Side
from shared.domain.order_state import OrderStatus
from tests.fakes import KEY, FakeClock

HALF_DAY = datetime(2026, 11, 27, 17, 52, tzinfo=UTC)  # 12:52 in New York: eight minutes before a half day's close


@dataclass
class Order:
    """What housekeeping looks at."""

    side: Side = Side.BUY
    reduces: bool = False
    order_type: OrderType = OrderType.LIMIT
    price: D = D("200.00")
    id: str = "o1"
    symbol: str = "AAPL"
    leaves: int = 10
    status: OrderStatus = OrderStatus.ACCEPTED
    is_unproven: bool = False
    cancel_requested_at: datetime | None = None
    sent_at: datetime | None = HALF_DAY
    request: Any = field(init=False)

    def __post_init__(self) -> None:
        self.request = SimpleNamespace(reduces=self.reduces, order_type=self.order_type, rule_id=None)


class Room:
    """Housekeeping over one order; what it asks of the desk is kept."""

    def __init__(self, order: Order, action: AtClose, at: datetime = HALF_DAY, last: str = "210.00") -> None:
        from bots.trading_hours import TradingHours

        self.asked: list[tuple[str, object]] = []
        self.clock, price = FakeClock(at), D(last)
        feed = SimpleNamespace(
            price=lambda symbol: price, best_opposite=lambda symbol, side: price, quotes={}
        )  # fmt: skip
        instrument = Instrument("AAPL", Market.US, Venue.NASDAQ, Currency.USD)
        hours, unused = TradingHours(replace(KEY, environment=KEY.environment), load()), cast(Any, None)
        clearance = Clearance(
            Market.US, unused, unused, unused, cast(Any, feed), hours, unused, unused, self.clock, unused, unused
        )
        clearance.instruments, clearance.limits = {"AAPL": instrument}, Limits(price_collar_pct=D(3))
        self.house = Housekeeping(
            Market.US, cast(Any, self), cast(Any, SimpleNamespace(open=lambda: [order])), cast(Any, feed),
            clearance, hours, self.clock, lambda one: None, action, 10,
        )  # fmt: skip

    async def cancel(self, order_id: str, why: str) -> None:
        self.asked.append(("cancel", order_id))

    async def amend(self, order_id: str, quantity: int, price: D, why: str) -> None:
        self.asked.append(("amend", price))


@pytest.mark.parametrize(
    ("action", "order", "asked"),
    [
        (AtClose.KEEP, Order(), []),
        (AtClose.CANCEL, Order(), [("cancel", "o1")]),
        (AtClose.CANCEL, Order(side=Side.SELL, reduces=True), [("amend", D("210.00"))]),
        (AtClose.REPRICE, Order(), [("amend", D("210.00"))]),
        (AtClose.CONVERT, Order(), [("amend", D("215.67"))]),  # 2.7 % beyond the last: nine tenths of the collar
        (AtClose.CONVERT, Order(side=Side.SELL, price=D("220.00")), [("amend", D("204.33"))]),
        (AtClose.CONVERT, Order(price=D("216.00")), []),  # it reaches as far already
        (AtClose.CANCEL, Order(order_type=OrderType.LOC), []),  # it waits for the close
    ],
)
async def test_the_accounts_policy_before_a_half_days_close(
    action: AtClose, order: Order, asked: list[tuple[str, object]]
) -> None:
    room = Room(order, action)
    await room.house.tend()
    assert room.asked == asked


async def test_nothing_happens_while_the_close_is_far_and_an_amendment_is_not_repeated_at_once() -> None:
    early = Room(Order(), AtClose.CANCEL, datetime(2026, 11, 27, 17, 49, tzinfo=UTC))
    await early.house.tend()
    assert early.asked == []
    room = Room(Order(), AtClose.REPRICE)
    await room.house.tend()
    await room.house.tend()
    assert len(room.asked) == 1
    room.clock.pass_s(6)
    await room.house.tend()
    assert len(room.asked) == 2


def test_the_days_own_close_counts() -> None:
    room = Room(Order(), AtClose.CANCEL)
    assert room.house.hours.minutes_to_close(HALF_DAY) == 8
    assert room.house.hours.session_on(date(2026, 11, 26)) is None, "Thanksgiving"
