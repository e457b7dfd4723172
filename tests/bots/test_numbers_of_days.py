"""Brokers count their orders anew each day: a number names an order together with its trade date, never alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bots.commands import Commands, Refusal
from bots.orders import DeskOrder
from shared.domain.errors import OutcomeUnknown
from shared.domain.order import Fill, OrderNotice, Side
from shared.domain.order_state import OrderStatus
from tests.bots.conftest import TODAY, Room

TOMORROW = TODAY + timedelta(days=1)


def next_day(room: Room) -> None:
    """The broker begins at its first number again; yesterday's rows stay in its list under theirs."""
    room.clock.pass_s(24 * 3600)
    room.reconciler.trade_date = lambda: TOMORROW
    room.broker.book = {f"yesterday {number}": row for number, row in room.broker.book.items()}
    room.broker._number = 100


def now(room: Room, order: DeskOrder) -> tuple[OrderStatus, int]:
    found = room.orders.get(order.id)
    assert found is not None
    return found.status, found.filled_quantity


def lose(row: object) -> None:
    raise OutcomeUnknown("KIS", "-", "no answer")


async def filled_yesterday(room: Room, symbol: str) -> DeskOrder:
    order = await room.desk.place(room.request(quantity=10, symbol=symbol), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "99.50")
    await room.look()
    next_day(room)
    return order


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
async def test_a_number_of_yesterday_names_another_order_today(room: Room, symbol: str) -> None:
    old = await filled_yesterday(room, symbol)
    fresh = await room.desk.place(room.request(quantity=4), TOMORROW)
    assert (fresh.status, fresh.broker_order_id) == (OrderStatus.ACCEPTED, old.broker_order_id)
    room.broker.fill(fresh.broker_order_id or "", 3, "98.00")
    await room.look()
    assert now(room, fresh) == (OrderStatus.PARTIAL, 3)
    assert now(room, old) == (OrderStatus.FILLED, 10)
    assert room.orders.stopped == {}


async def test_a_lost_order_is_found_under_a_number_that_another_had_yesterday(room: Room) -> None:
    old = await filled_yesterday(room, "AAPL")
    room.broker.on_place = lose
    lost = await room.desk.place(room.request(quantity=10), TOMORROW)
    room.broker.fill("101", 2, "98.00")
    room.clock.pass_s(1)
    await room.reconciler.resolve_due()
    room.clock.pass_s(1)
    await room.reconciler.resolve_due()
    assert now(room, lost) == (OrderStatus.PARTIAL, 2)
    assert now(room, old) == (OrderStatus.FILLED, 10)


async def waiting(room: Room) -> DeskOrder:
    """An order of which only a person can say what became of it: several look like it."""
    room.broker.on_place = lose
    lost = await room.desk.place(room.request(quantity=10), TOMORROW)
    room.broker.book["twin"] = replace(room.broker.book[lost_number(room)], broker_order_id="777")
    for _ in range(3):
        room.clock.pass_s(1)
        await room.reconciler.resolve_due()
    found = room.orders.get(lost.id)
    assert found is not None and found.status is OrderStatus.NEEDS_OPERATOR
    return found


def lost_number(room: Room) -> str:
    return next(number for number in room.broker.book if number.isdigit())


def hand_of(room: Room) -> Commands:
    commands = object.__new__(Commands)
    commands.orders, commands.reconciler = room.orders, room.reconciler
    return commands


async def test_the_number_that_a_person_types_means_the_order_of_its_day_and_leading_zeros_say_nothing(
    room: Room,
) -> None:
    old = await filled_yesterday(room, "AAPL")
    lost = await waiting(room)
    told = {"client_order_id": lost.id, "broker_order_id": "0000000101"}
    assert (await hand_of(room)._resolve(told))["status"] == "ACCEPTED"
    assert now(room, lost) == (OrderStatus.ACCEPTED, 0)
    assert now(room, old) == (OrderStatus.FILLED, 10)


@pytest.mark.parametrize(("typed", "code"), [("778", "another_order"), ("9", "no_order"), ("0", "no_order")])
async def test_a_number_of_another_order_or_of_none_is_refused_by_name(room: Room, typed: str, code: str) -> None:
    await filled_yesterday(room, "AAPL")
    lost = await waiting(room)
    room.broker.book["other"] = replace(room.broker.book["twin"], broker_order_id="778", symbol="MSFT")
    with pytest.raises(Refusal) as refused:
        await hand_of(room)._resolve({"client_order_id": lost.id, "broker_order_id": typed})
    assert refused.value.code == code
    assert now(room, lost) == (OrderStatus.NEEDS_OPERATOR, 0)


async def test_an_order_of_yesterday_ends_although_its_number_is_open_again(room: Room) -> None:
    old = await room.desk.place(room.request(quantity=10), TODAY)
    number = old.broker_order_id or ""
    room.broker.fill(number, 3, "100.00")
    next_day(room)
    key = f"yesterday {number}"
    room.broker.book[key] = replace(room.broker.book[key], leaves_quantity=0)
    fresh = await room.desk.place(room.request(quantity=5, symbol="MSFT"), TOMORROW)
    assert fresh.broker_order_id == number
    await room.look()
    assert now(room, old) == (OrderStatus.EXPIRED, 3)
    assert now(room, fresh) == (OrderStatus.ACCEPTED, 0)


async def test_a_persons_fill_of_yesterday_is_not_given_to_todays_order_of_that_number(room: Room) -> None:
    at = room.clock.wall_now()
    theirs = Fill("e1", "101", "AAPL", Side.BUY, 7, Decimal("97.00"), at)
    await room.executions.apply_notice(OrderNotice("101", "AAPL", "filled", at, theirs))
    next_day(room)
    ours = await room.desk.place(room.request(quantity=10), TOMORROW)
    assert ours.broker_order_id == "101"
    assert now(room, ours) == (OrderStatus.ACCEPTED, 0)


async def test_a_stamp_beside_the_order_counts_when_the_clocks_disagree_about_the_day(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TOMORROW)  # ours says tomorrow, the broker's stamp today
    room.broker.fill(order.broker_order_id or "", 10, "99.00")
    await room.look()
    assert now(room, order) == (OrderStatus.FILLED, 10)
