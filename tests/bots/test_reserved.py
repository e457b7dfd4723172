"""A reservation of ours: its number is kept apart, it is followed to the order it becomes, its absence is never proven."""

from __future__ import annotations

from dataclasses import replace

from bots.desk import as_broker_order
from shared.domain.order import OrderSession
from shared.domain.order_state import OrderStatus
from tests.bots.conftest import TODAY, Room
from tests.bots.test_reconcile import lose, resolve_for, status


async def test_a_waiting_reservation_survives_a_restart_and_is_cancelled_as_one(room: Room) -> None:
    order = await room.desk.place(replace(room.request(), session=OrderSession.RESERVED), TODAY)
    assert order.status is OrderStatus.ACCEPTED and order.broker_order_id == "R101"
    room = await room.restart()
    await room.look()
    kept = room.orders.get(order.id)
    assert kept is not None and kept.status is OrderStatus.ACCEPTED
    named = as_broker_order(kept)
    assert (named.broker_order_id, named.session) == ("101", OrderSession.RESERVED)
    await room.desk.cancel(order.id, "test")
    await room.look()
    assert status(room.orders, order.id) is OrderStatus.CANCELED
    await room.journal.close()


async def test_a_reservation_that_was_sent_goes_on_as_the_order_it_became(room: Room) -> None:
    order = await room.desk.place(replace(room.request(quantity=10), session=OrderSession.RESERVED), TODAY)
    sent = room.broker.row("AAPL", order.side, 10, order.price, number="9001")
    room.broker.book["9001"] = sent
    room.broker.book["101"] = replace(room.broker.book["101"], leaves_quantity=0, became="9001")
    room.broker.fill("9001", 4, "100.00")
    await room.look()
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.status, after.broker_order_id, after.filled_quantity) == (OrderStatus.PARTIAL, "9001", 4)
    assert as_broker_order(after).session is OrderSession.REGULAR


async def test_an_unanswered_reservation_is_adopted_from_its_own_list_and_no_other(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(replace(room.request(), session=OrderSession.RESERVED), TODAY)
    twin = room.broker.row("AAPL", order.side, order.quantity, order.price)  # an ordinary order of the same shape
    room.broker.book[twin.broker_order_id] = twin
    await resolve_for(room, 2)
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.broker_order_id) == (OrderStatus.ACCEPTED, "R101")


async def test_a_reservation_that_no_list_shows_is_a_persons_matter(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(replace(room.request(), session=OrderSession.RESERVED), TODAY)
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR
