"""Half the price beside twice the shares is no loss: no stop sells on it. A fall is a fall: the stop goes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bots.stop_watch import guard_of
from shared.domain.money import Currency
from shared.domain.order import Position, Side
from tests.bots.conftest import TODAY
from tests.bots.test_drift import desk_of
from tests.bots.test_trader import Floor, floor

__all__ = ["floor"]

TOMORROW = TODAY + timedelta(days=1)


async def holding(floor: Floor) -> None:
    """Five shares bought at 101, with a stop at 5 %; the broker was asked and agrees."""
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    look(floor, 5, "101")


def look(floor: Floor, shares: int, price: str) -> None:
    """A complete look: what the broker holds now."""
    held = Position("AAPL", shares, shares, Decimal(price), Currency.USD, Decimal(price))
    assert floor.portfolio.cash is not None
    asked = floor.room.clock.mono
    floor.portfolio.take((held,), floor.portfolio.cash, floor.room.clock.wall_now())
    floor.portfolio.drift = floor.portfolio.differences(lambda symbol: floor.daybook.expected(TODAY, symbol))
    floor.trader.splits.compared(floor.portfolio.drift, asked, floor.feed.price)


def sales(floor: Floor) -> list[str]:
    return [order.request.reason for order in floor.room.orders.all() if order.side is Side.SELL]


def told(floor: Floor) -> list[str]:
    return [row.key for row in floor.told if row.stream == "alerts"]


async def test_a_split_over_night_sells_nothing_until_a_person_has_spoken(floor: Floor) -> None:
    await holding(floor)
    await floor.tick("50.5")
    assert sales(floor) == [] and len(floor.looks) == 1  # asked first
    look(floor, 10, "50.5")
    floor.room.clock.pass_s(600)
    await floor.tick("50")
    assert sales(floor) == [] and told(floor) == ["split:AAPL"]
    assert guard_of(floor.trader, "AAPL") is None  # shown as it is: nobody watches
    await desk_of(floor).rescale("AAPL")
    await floor.tick("50")
    assert sales(floor) == [] and guard_of(floor.trader, "AAPL") is not None
    await floor.tick("47")  # the stop is where it was, in new shares
    assert sales(floor) == ["stop_loss"]
    assert floor.room.orders.all()[-1].quantity == 10


async def test_shares_that_were_put_together_take_no_profit(floor: Floor) -> None:
    await holding(floor)
    await floor.tick("505")
    look(floor, 1, "505")
    assert floor.trader.splits.suspected == {"AAPL": (5, 1)}


async def test_a_fall_with_the_same_shares_sells_as_soon_as_the_broker_was_asked(floor: Floor) -> None:
    await holding(floor)
    await floor.tick("60")
    assert sales(floor) == []
    look(floor, 5, "60")
    await floor.tick("60")
    assert sales(floor) == ["stop_loss"]


async def test_a_broker_that_does_not_answer_holds_a_stop_back_only_so_long(floor: Floor) -> None:
    await holding(floor)
    await floor.tick("60")
    floor.room.clock.pass_s(10)
    floor.trader.judge_late()
    await floor.settle()
    assert sales(floor) == ["stop_loss"]


async def test_a_picture_asked_for_before_the_price_came_says_nothing_about_it(floor: Floor) -> None:
    await holding(floor)
    asked = floor.room.clock.mono
    await floor.tick("50.5")
    floor.trader.splits.compared({}, asked, floor.feed.price)
    await floor.tick("50.5")
    assert sales(floor) == []


@pytest.mark.parametrize("price", ["101", "90", "110"])
async def test_shares_bought_by_hand_are_no_split_and_stops_go_on(floor: Floor, price: str) -> None:
    await holding(floor)
    await floor.tick(price)
    look(floor, 10, price)
    assert floor.trader.splits.suspected == {}


async def test_what_came_between_two_dates_without_an_order_is_a_difference(floor: Floor) -> None:
    """The day does not begin with whatever the broker shows: twice the shares were not bought."""
    await holding(floor)
    theirs = Position("AAPL", 10, 10, Decimal("50.5"), Currency.USD, Decimal("50.5"))
    marks = floor.daybook.first_marks(TOMORROW, (theirs,), floor.feed.price)
    floor.daybook.keep(marks)
    assert floor.daybook.expected(TOMORROW, "AAPL") == 5
    assert [mark.price for mark in marks if mark.symbol == "AAPL"] == [Decimal("50.5")]


async def test_after_a_week_away_the_brokers_holding_is_a_new_beginning(floor: Floor) -> None:
    await holding(floor)
    later = TODAY + timedelta(days=7)
    theirs = Position("AAPL", 10, 10, Decimal("50.5"), Currency.USD, Decimal("50.5"))
    floor.daybook.keep(floor.daybook.first_marks(later, (theirs,), floor.feed.price))
    assert floor.daybook.expected(later, "AAPL") == 10
