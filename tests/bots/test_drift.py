"""A person says that the broker's holding is right: it counts from then on, and a rule may take the shares over."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bots.drift import DriftDesk, NoDrift, TooManyShares
from shared.domain.errors import NotFound
from shared.domain.order import Position
from tests.bots.conftest import TODAY
from tests.bots.test_trader import Floor, floor

__all__ = ["floor"]


def desk_of(floor: Floor) -> DriftDesk:
    room = floor.room
    return DriftDesk(
        floor.portfolio, floor.daybook, room.orders, floor.trader, floor.feed, room.journal, room.clock, lambda: TODAY
    )


async def drifted(floor: Floor) -> DriftDesk:
    """Seven shares were bought by hand in the broker's own app."""
    floor.configure(floor.config())
    assert floor.portfolio.cash is not None
    held = Position("AAPL", 7, 7, Decimal(100), floor.portfolio.cash.currency)
    floor.portfolio.take((held,), floor.portfolio.cash, floor.room.clock.wall_now())
    floor.portfolio.drift = floor.portfolio.differences(lambda symbol: floor.daybook.expected(TODAY, symbol))
    assert floor.portfolio.drift == {"AAPL": (0, 7)}
    return desk_of(floor)


async def test_what_a_person_keeps_counts_and_no_rule_owns_it(floor: Floor) -> None:
    desk = await drifted(floor)
    await desk.leave("AAPL")
    assert floor.daybook.expected(TODAY, "AAPL") == 7
    assert floor.portfolio.drift == {} and floor.room.orders.lots.all() == ()


async def test_a_rule_takes_the_shares_over_and_guards_them(floor: Floor) -> None:
    desk = await drifted(floor)
    await floor.tick("100", "MSFT")
    await desk.adopt("AAPL", 1)
    lot = floor.room.orders.lots.get(1, "AAPL")
    assert lot is not None and (lot.quantity, lot.version_id) == (7, 1)
    state = await floor.room.journal.load(TODAY)
    assert [one.quantity for one in state.lots] == [7]
    assert [mark.quantity for mark in state.marks if mark.symbol == "AAPL"] == [7]


async def test_nothing_is_decided_where_nothing_differs(floor: Floor) -> None:
    with pytest.raises(NoDrift):
        await desk_of(floor).leave("AAPL")


async def test_only_a_running_rule_of_the_symbol_takes_shares(floor: Floor) -> None:
    desk = await drifted(floor)
    with pytest.raises(NotFound):
        await desk.adopt("AAPL", 9)
    assert floor.portfolio.drift == {"AAPL": (0, 7)}


async def test_shares_are_split_between_a_rule_and_a_person(floor: Floor) -> None:
    desk = await drifted(floor)
    with pytest.raises(TooManyShares):
        await desk.split("AAPL", {1: 8})
    with pytest.raises(TooManyShares):
        await desk.split("AAPL", {1: -1})
    assert floor.portfolio.drift and floor.room.orders.lots.all() == ()
    done = await desk.split("AAPL", {1: 5})
    lot = floor.room.orders.lots.get(1, "AAPL")
    assert lot is not None and (lot.quantity, done["left"]) == (5, 2)
    assert floor.daybook.expected(TODAY, "AAPL") == 7 and floor.portfolio.drift == {}


@pytest.mark.parametrize(("theirs", "quantity", "average", "highest"), [(21, 21, "33.33", "40"), (2, 2, "350", "420")])
async def test_a_corporate_action_changes_every_share_alike(
    floor: Floor, theirs: int, quantity: int, average: str, highest: str
) -> None:
    """Seven shares become three for one, or two for seven; what they cost stays."""
    desk = await drifted(floor)
    await desk.adopt("AAPL", 1)
    lots = floor.room.orders.lots
    lots.keep((replace(lots.all()[0], highest=Decimal(120)),))
    assert floor.portfolio.cash is not None
    held = Position("AAPL", theirs, theirs, Decimal(100), floor.portfolio.cash.currency)
    floor.portfolio.take((held,), floor.portfolio.cash, floor.room.clock.wall_now())
    floor.portfolio.drift = floor.portfolio.differences(lambda symbol: floor.daybook.expected(TODAY, symbol))
    await floor.room.orders.shrink_lots("AAPL", theirs)  # as the look that found it does
    await desk.rescale("AAPL")
    lot = lots.get(1, "AAPL")
    assert lot is not None
    assert (lot.quantity, round(lot.average_price, 2), lot.highest) == (quantity, Decimal(average), Decimal(highest))
    assert floor.daybook.expected(TODAY, "AAPL") == theirs and floor.portfolio.drift == {}


async def test_what_came_from_nothing_is_no_corporate_action(floor: Floor) -> None:
    desk = await drifted(floor)
    with pytest.raises(NoDrift):
        await desk.rescale("AAPL")
