"""A stop that cannot sell is said aloud, once, and taken back when it is over."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bots.held_exits import GRACE_S, QUIET_GRACE_S, UNFILLED_S, HeldExits
from bots.orders import DeskOrder
from shared.domain.instrument import Venue
from shared.domain.market import Quote
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, Position, Side
from shared.domain.order_state import OrderStatus
from shared.domain.signal import Decision, Denied, Verdict
from tests.bots.test_trader import LIMITS, Floor, floor, rows
from tests.fakes import START, FakeClock

__all__ = ["floor"]
KEY = (1, "AAPL")
SALE = Decision(1, 1, "AAPL", verdict=Verdict.SELL, reason="stop_loss", at=START)


HOLDS = Decision(1, 1, "AAPL", verdict=Verdict.HOLD, reason="no_exit", at=START)


class Told(list[dict[str, Any]]):
    """What was written for people, as the outbox has it."""

    def take(self, found: tuple[Any, ...]) -> None:
        self.extend(json.loads(one.body) for one in found)

    @property
    def open(self) -> list[str]:
        kinds: list[str] = []
        for one in self:
            if one.get("over"):
                kinds.clear()
            else:
                kinds.append(one["kind"])
        return kinds


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def held(told: Told) -> HeldExits:
    return HeldExits(FakeClock(START), told.take)


def pass_s(held: HeldExits, seconds: float) -> None:
    assert isinstance(held.clock, FakeClock)
    held.clock.pass_s(seconds)
    held.look({KEY})


def offer(floor: Floor, sellable: int) -> None:
    """The broker's picture: five shares, so many of them free to be sold."""
    assert floor.portfolio.cash is not None
    shares = Position("AAPL", 5, sellable, Decimal(101), Currency.USD)
    floor.portfolio.take((shares,), floor.portfolio.cash, floor.room.clock.wall_now())


async def test_a_stop_whose_shares_somebody_else_offers_is_told_once_and_over_when_they_are_sold(floor: Floor) -> None:
    floor.configure(floor.config(stop=5))
    await floor.tick("101")
    await floor.fill_all()
    offer(floor, 0)  # a person's own sale in the broker's app has them

    async def under_the_stop(seconds: int) -> None:
        for _ in range(seconds):
            await floor.tick("90")
            floor.trader.held_exits.look({(lot.rule_id, lot.symbol) for lot in floor.trader.lots.all()})
        await floor.settle()

    async def told() -> list[dict[str, Any]]:
        return [row for row in await rows(floor.room, "alerts") if str(row["dedup_key"]).startswith("held:1")]

    await under_the_stop(int(GRACE_S) - 1)
    assert await told() == [] and floor.room.broker.sent == ["place"]
    await under_the_stop(10)
    (alert,) = await told()
    assert (alert["kind"], alert["severity"], alert["params"]["reason"]) == (
        "EXIT_HELD", "critical", "매도가능 수량이 없음",
    )  # fmt: skip
    offer(floor, 5)
    await under_the_stop(1)
    assert floor.room.broker.sent == ["place", "place"] and len(await told()) == 1  # sent is not sold
    sale = floor.room.orders.all()[-1]
    assert sale.side is Side.SELL
    floor.room.broker.fill(sale.broker_order_id or "", 5, "90.00")
    await floor.room.look()
    await under_the_stop(1)
    assert (await told())[-1]["over"]


def test_one_that_waits_for_a_price_has_longer(held: HeldExits, told: Told) -> None:
    held.judged(SALE, Denied("stale_data", "시세 60초 전"))
    pass_s(held, QUIET_GRACE_S - 1)
    assert told.open == []
    pass_s(held, 1)
    assert told.open == ["EXIT_HELD"] and held.told() == {"1:AAPL": "시세 60초 전"}


@pytest.mark.parametrize("code", ["session", "in_flight", "kill_halt", "fenced"])
def test_what_is_known_or_on_its_way_is_not_told(held: HeldExits, told: Told, code: str) -> None:
    for _ in range(100):
        held.judged(SALE, Denied(code, "-"))
        pass_s(held, 1)
    assert told.open == []


def test_refusals_between_attempts_keep_one_alert_open(held: HeldExits, told: Told) -> None:
    """Sent, refused by the broker three times, then the side rests a minute, and again."""
    for _ in range(3):
        for _ in range(3):
            held.judged(SALE, None)
            pass_s(held, 1)
        for _ in range(60):
            held.judged(SALE, Denied("failures", "연속 거절 3번"))
            pass_s(held, 1)
    assert [one["kind"] for one in told if "kind" in one] == ["EXIT_HELD"] and told.open == ["EXIT_HELD"]


def test_it_is_over_when_the_rule_is_content_and_told_anew_when_it_comes_back(held: HeldExits, told: Told) -> None:
    for _ in range(2):
        held.judged(SALE, Denied("collar", "현재가에서 5% 벗어남"))
        pass_s(held, GRACE_S)
        assert told.open == ["EXIT_HELD"]
        held.content(HOLDS, ())
        assert told.open == []


def test_what_the_last_process_told_is_over_at_the_start(held: HeldExits, told: Told) -> None:
    held.look(set())
    assert told == [{**told[0], "over": True, "dedup_key": "held:*"}]


def test_a_fill_of_all_shares_ends_it(held: HeldExits, told: Told) -> None:
    held.judged(SALE, Denied("collar", "-"))
    pass_s(held, GRACE_S)
    held.look(set())
    assert told.open == []


def test_a_stops_order_that_nobody_buys_from_is_told(held: HeldExits, told: Told) -> None:
    asked = OrderRequest(
        "AAPL", Side.SELL, 5, Decimal(90), Venue.NASDAQ, Currency.USD, "o-1", rule_id=1, reduces=True, reason="stop_loss"
    )  # fmt: skip
    order = DeskOrder(asked, OrderStatus.ACCEPTED, START.date(), START, START, 5, asked.price, sent_at=START)
    assert isinstance(held.clock, FakeClock)
    for seconds in (UNFILLED_S - 1, 1, 1):
        held.clock.pass_s(seconds)
        held.judged(SALE, Denied("in_flight", "-"))
        held.look({KEY}, [order])
        held.content(HOLDS, ())  # the price is back: the order rests all the same
    assert [one["params"]["code"] for one in told if "kind" in one] == ["unfilled"]
    held.look(
        {KEY}, [replace(order, request=replace(asked, reason="exit"))]
    )  # a limit of the rule's own may rest for days
    held.content(HOLDS, ())
    assert told.open == []


@pytest.mark.parametrize(("lower_limit", "sent"), [("89.50", "89.50"), ("80.00", "88.73"), (None, "88.73")])
async def test_a_stops_price_stays_where_the_guards_let_it_pass(
    floor: Floor, lower_limit: str | None, sent: str
) -> None:
    """Three hundred ticks under the best bid: past the day's limit, or past the collar; it is sent as low as may be."""
    config = floor.config(stop=5)
    rule = replace(config.rule, execution=replace(config.rule.execution, offset_ticks=300))
    floor.trader.clearance.limits = replace(LIMITS, price_collar_pct=Decimal(3))
    floor.configure(replace(config, rule=replace(rule, execution=replace(rule.execution, offset_ticks=0))))
    await floor.tick("101")
    await floor.fill_all()
    floor.configure(replace(config, rule=rule))
    limit = None if lower_limit is None else Decimal(lower_limit)
    now = floor.room.clock.now
    floor.feed.on_quote(Quote("AAPL", Decimal("91.19"), None, None, None, None, limit, None, now, now))
    await floor.tick("91.19")
    assert floor.room.orders.all()[-1].price == Decimal(sent)
