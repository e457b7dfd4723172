"""Orders of other hands are told once they are surely nobody's of ours, and once per state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots.elsewhere import Elsewhere
from bots.journal import Outgoing
from bots.orders import DeskOrder
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder
from shared.domain.order_state import OrderStatus
from shared.domain.trading_days import ZONES
from tests.bots.conftest import TODAY, Room
from tests.bots.test_reconcile import status
from tests.fakes import KEY


@pytest.fixture
def told() -> list[Outgoing]:
    return []


@pytest.fixture
def elsewhere(room: Room, told: list[Outgoing]) -> Elsewhere:
    zone = ZONES[KEY.market]
    return Elsewhere(room.orders, Currency.USD, zone, room.clock, told.extend, room.reconciler.unlisted)


async def _under_a_wrong_number(room: Room) -> tuple[DeskOrder, BrokerOrder]:
    """The broker takes an order and answers with a number that its lists do not know; returns the row as they have it."""
    order = await room.desk.place(room.request(quantity=10), TODAY)
    row = replace(room.broker.book.pop(order.broker_order_id or ""), broker_order_id="0000099999")
    room.broker.book[row.broker_order_id] = row
    return order, row


async def test_an_order_of_other_hands_is_told_once_and_again_when_it_fills(
    room: Room, elsewhere: Elsewhere, told: list[Outgoing]
) -> None:
    row = replace((await _under_a_wrong_number(room))[1], symbol="MSFT")
    assert [elsewhere.take([row]), elsewhere.take([row])] == [1, 0]
    filled = replace(row, filled_quantity=4, leaves_quantity=6)
    assert elsewhere.take([filled]) == 1
    assert [one.stream for one in told] == ["orders", "orders", "fills"]


async def test_what_may_be_our_own_under_another_number_waits_for_a_person(
    room: Room, elsewhere: Elsewhere, told: list[Outgoing]
) -> None:
    order, row = await _under_a_wrong_number(room)
    await room.look()
    assert elsewhere.take([row]) == 0
    room.clock.pass_s(61)
    await room.look()
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR
    assert elsewhere.take([row]) == 0
    found = await room.reconciler.unowned(order, row.broker_order_id)
    assert found is not None
    await room.reconciler.adopt(order.id, found, "사람이 판단")
    await room.look()
    assert elsewhere.take([row]) == 0  # it is ours now
    assert told == []
