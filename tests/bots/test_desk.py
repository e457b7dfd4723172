"""The desk: journal before wire, one socket write, and nothing sent again because an answer is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from bots.desk import LEAVES_WITHIN_S
from bots.journal import Duplicate
from bots.lease import SEND_MARGIN_S, TTL_S, StoreLease
from bots.orders import JournalKind
from shared.db import writing
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BrokerUnavailable,
    InsufficientFunds,
    OutcomeUnknown,
    RateLimited,
    Refused,
    WireError,
)
from shared.domain.order import Fill, OrderNotice, OrderRequest, Side
from shared.domain.order_state import OrderStatus
from shared.domain.signal import Denied
from tests.bots.conftest import TODAY, Room


async def kinds(room: Room, order_id: str) -> list[str]:
    return [event.kind for event in await room.journal.events_of(order_id)]


async def test_an_accepted_order_was_on_disk_before_the_wire(room: Room) -> None:
    on_disk: list[str] = []

    def look_at_disk(row: object) -> None:
        order = room.orders.all()[0]
        on_disk.append(order.status)

    room.broker.on_place = look_at_disk
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.ACCEPTED
    assert on_disk == [OrderStatus.SUBMITTED]
    assert await kinds(room, order.id) == [
        JournalKind.DECISION, JournalKind.INTENT, JournalKind.SENDING, JournalKind.ACKED
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lost",
    [
        OutcomeUnknown("KIS", "-", "no answer"),
        BrokerUnavailable("KIS", "500", "<html>"),
        WireError("KIS", "-", "cut short"),
    ],
)
async def test_a_lost_answer_is_unknown_freezes_the_side_and_was_sent_once(room: Room, lost: Exception) -> None:
    def lose(row: object) -> None:
        raise lost

    room.broker.on_place = lose
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.UNKNOWN
    assert room.broker.sent == ["place"]
    assert room.orders.frozen("AAPL", Side.BUY) is not None
    assert room.orders.frozen("AAPL", Side.SELL) is None
    assert room.asked == 1


async def test_a_crash_inside_the_adapter_leaves_the_order_unknown_not_forgotten(room: Room) -> None:
    def crash(row: object) -> None:
        raise ZeroDivisionError

    room.broker.on_place = crash
    with pytest.raises(ZeroDivisionError):
        await room.desk.place(room.request(), TODAY)
    assert [order.status for order in room.orders.all()] == [OrderStatus.UNKNOWN]


async def test_a_gate_that_closes_on_the_way_to_the_wire_stops_the_order(room: Room) -> None:
    def close() -> None:
        room.denied = Denied("kill_halt", "긴급정지")

    room.broker.on_way = close
    order = await room.desk.place(room.request(), TODAY)
    assert (order.status, order.note, room.broker.sent) == (OrderStatus.DENIED, "긴급정지", [])
    assert JournalKind.DENIED in await kinds(room, order.id)
    assert room.orders.frozen("AAPL", Side.BUY) is None


@pytest.mark.parametrize("clock", ["wall", "monotonic"])
async def test_an_order_that_could_not_leave_in_time_is_decided_anew(room: Room, clock: str) -> None:
    """A paused machine: one of its clocks may have stood still with it."""

    def pause() -> None:
        if clock == "wall":
            room.clock.now += timedelta(seconds=LEAVES_WITHIN_S + 1)
        else:
            room.clock.mono += LEAVES_WITHIN_S + 1

    room.broker.on_way = pause
    order = await room.desk.place(room.request(), TODAY)
    assert (order.status, room.broker.sent) == (OrderStatus.DENIED, [])
    assert "too_late" in (await room.journal.events_of(order.id))[-2].why


async def test_an_amendment_too_late_does_not_leave_and_a_cancel_does(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)
    room.broker.on_way = lambda: room.clock.pass_s(LEAVES_WITHIN_S + 1)
    amended = await room.desk.amend(order.id, 10, Decimal(99), "test")
    assert (amended.price, amended.amend_pending, room.broker.sent) == (Decimal(100), False, ["place"])
    await room.desk.cancel(order.id, "test")
    assert room.broker.sent == ["place", "cancel"]


async def test_an_order_that_outlasts_its_lease_on_the_way_stays_here(room: Room, store: Engine) -> None:
    lease = StoreLease(1, "auto", room.clock)
    with writing(store) as session:
        lease.take(session)
    lease.confirm()

    def gate(request: OrderRequest | None) -> Denied | None:
        fenced = lease.fenced()
        return None if fenced is None else Denied("fenced", fenced)

    room.desk._gate = gate
    room.broker.on_way = lambda: room.clock.pass_s(TTL_S - SEND_MARGIN_S)
    order = await room.desk.place(room.request(), TODAY)
    assert (order.status, room.broker.sent) == (OrderStatus.DENIED, [])
    with pytest.raises(Refused):
        await room.desk.cancel(order.id, "test")


async def test_a_proven_refusal_is_final_and_not_repeated(room: Room) -> None:
    def refuse(row: object) -> None:
        raise InsufficientFunds("KIS", "APBK0952", "주문가능금액을 초과")

    room.broker.books_orders, room.broker.on_place = False, refuse
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.REJECTED
    assert room.broker.sent == ["place"]


@pytest.mark.parametrize(
    "proof", [RateLimited("KIS", "EGW00201", "rate", 0.0), AuthExpired("KIS", "EGW00123", "token")]
)
async def test_a_proven_not_accepted_call_goes_out_once_more_with_its_own_sending_row(
    room: Room, proof: Refused
) -> None:
    answers: list[Exception | None] = [proof, None]

    def answer(row: object) -> None:
        error = answers.pop(0)
        if error is not None:
            room.broker.book.clear()
            raise error

    room.broker.on_place = answer
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.ACCEPTED
    assert room.broker.sent == ["place", "place"]
    assert (await kinds(room, order.id)).count(JournalKind.SENDING) == 2


async def test_a_second_rate_refusal_ends_the_order(room: Room) -> None:
    def answer(row: object) -> None:
        raise RateLimited("KIS", "EGW00201", "rate", 0.0)

    room.broker.books_orders, room.broker.on_place = False, answer
    assert (await room.desk.place(room.request(), TODAY)).status is OrderStatus.REJECTED
    assert room.broker.sent == ["place", "place"]


async def test_the_gate_is_asked_after_sending_and_stops_the_write(room: Room) -> None:
    room.denied = Denied("kill_halt", "긴급정지")
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.DENIED
    assert room.broker.sent == []
    assert JournalKind.SENDING in await kinds(room, order.id)


async def test_a_key_refused_on_an_order_is_told_to_the_bot(room: Room) -> None:
    told: list[str] = []
    room.desk.on_auth_refused = lambda error: told.append(error.broker_code)

    def refuse(row: object) -> None:
        raise AuthRefused("KIS", "EGW00103", "유효하지 않은 AppKey")

    room.broker.on_place = refuse
    await room.desk.place(room.request(), TODAY)
    assert told == ["EGW00103"]


async def test_one_signal_is_one_order_even_after_a_restart(room: Room) -> None:
    await room.desk.place(room.request(signal_key="1:1:AAPL:0:entry"), TODAY)
    again = await room.restart()
    with pytest.raises(Duplicate):
        await again.desk.place(again.request(signal_key="1:1:AAPL:0:entry"), TODAY)
    assert room.broker.sent == ["place"]
    assert len(again.orders.all()) == 1
    await again.journal.close()


async def test_one_broker_number_cannot_belong_to_two_orders(room: Room) -> None:
    first = await room.desk.place(room.request(), TODAY)
    room.broker._number = int(first.broker_order_id or "0") - 1  # the broker repeats itself
    second = await room.desk.place(room.request(symbol="MSFT"), TODAY)
    assert second.status is OrderStatus.UNKNOWN
    assert room.orders.get(first.id) == first


async def test_fills_are_the_growth_of_the_cumulative_quantity(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number = order.broker_order_id or ""
    for quantity, price in ((3, "99.90"), (0, "0"), (7, "100.00")):
        if quantity:
            room.broker.fill(number, quantity, price)
        await room.look()
        await room.look()  # the same list twice changes nothing
    after = room.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.FILLED
    assert [(fill.quantity, fill.price) for fill in room.orders.fills] == [
        (3, Decimal("99.90")),
        (7, Decimal("100.00")),
    ]
    assert room.orders.lots.get(1, "AAPL") is not None and room.orders.lots.held("AAPL") == 10


def _noticed(number: str, execution_id: str, quantity: int, room: Room) -> OrderNotice:
    now = room.clock.wall_now()
    fill = Fill(execution_id, number, "AAPL", Side.BUY, quantity, Decimal("100.00"), now)
    return OrderNotice(number, "AAPL", "filled", now, fill)


async def test_notices_and_lists_tell_of_the_same_shares_in_any_order(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number = order.broker_order_id or ""
    await room.executions.apply_notice(_noticed(number, "e1", 4, room))
    await room.executions.apply_notice(_noticed(number, "e1", 4, room))  # delivered twice
    room.broker.fill(number, 10, "100.00")
    await room.look()  # the list already has both executions
    await room.executions.apply_notice(_noticed(number, "e2", 6, room))  # the late notice of the second
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.FILLED, 10)
    assert sum(fill.quantity for fill in room.orders.fills) == 10


async def test_a_fill_notice_that_outruns_the_answer_is_kept_for_the_order(room: Room) -> None:
    async def early(number: str) -> None:
        await room.executions.apply_notice(_noticed(number, "e1", 10, room))

    tasks: list[asyncio.Task[None]] = []
    room.broker.on_place = lambda row: tasks.append(asyncio.ensure_future(early(row.broker_order_id)))
    placing = asyncio.ensure_future(room.desk.place(room.request(quantity=10), TODAY))
    order = await placing
    await asyncio.gather(*tasks)
    await room.executions.claim_orphans(room.orders.get(order.id) or order)
    after = room.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.FILLED


async def test_a_cancel_is_done_when_the_list_says_so_and_a_late_fill_still_counts(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number = order.broker_order_id or ""
    asked = await room.desk.cancel(order.id, "test")
    assert asked.status is OrderStatus.ACCEPTED  # an acknowledgement is a request received
    await room.look()
    assert (room.orders.get(order.id) or order).status is OrderStatus.CANCELED
    room.broker.book[number] = replace(room.broker.book[number], filled_quantity=4, average_fill_price=Decimal(100))
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.CANCELED, 4)


async def test_a_cancel_whose_answer_is_lost_leaves_the_order_to_the_list(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)

    def lose(row: object) -> None:
        raise OutcomeUnknown("KIS", "-", "no answer")

    room.broker.on_change = lose
    after = await room.desk.cancel(order.id, "test")
    assert after.status is OrderStatus.ACCEPTED and after.cancel_requested_at is not None
    await room.look()
    assert (room.orders.get(order.id) or order).status is OrderStatus.ACCEPTED


async def test_an_amended_order_keeps_the_fills_of_both_numbers(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    old = order.broker_order_id or ""
    room.broker.fill(old, 4, "100.00")
    await room.look()
    amended = await room.desk.amend(order.id, 6, Decimal("101.00"), "test")
    assert amended.broker_order_id != old and amended.quantity == 10
    room.broker.fill(amended.broker_order_id or "", 6, "101.00")
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.FILLED, 10)
    assert after.filled_amount == Decimal("400.00") + Decimal("606.00")


async def test_an_amendment_whose_answer_is_lost_is_found_in_the_list(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)

    def lose(row: object) -> None:
        raise OutcomeUnknown("KIS", "-", "no answer")

    room.broker.on_change = lose
    after = await room.desk.amend(order.id, 10, Decimal("101.00"), "test")
    assert after.is_unproven and room.orders.frozen("AAPL", Side.BUY)
    await room.look()
    found = room.orders.get(order.id)
    assert found is not None and not found.is_unproven
    assert (found.price, found.status) == (Decimal("101.00"), OrderStatus.ACCEPTED)


async def test_more_shares_than_asked_are_recorded_and_stop_the_symbol(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "100.00")
    await room.look()
    row = room.broker.book[order.broker_order_id or ""]
    room.broker.book[row.broker_order_id] = replace(row, filled_quantity=12)
    await room.look()
    assert sum(fill.quantity for fill in room.orders.fills) == 12
    assert "AAPL" in room.orders.stopped
    again = await room.restart()
    assert "AAPL" in again.orders.stopped
    await again.journal.close()


async def test_an_order_that_is_over_cannot_be_cancelled(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=1), TODAY)
    room.broker.fill(order.broker_order_id or "", 1, "100.00")
    await room.look()
    with pytest.raises(Refused):
        await room.desk.cancel(order.id, "test")


async def test_draining_waits_for_the_answer_on_the_wire(room: Room) -> None:
    answered = asyncio.Event()
    original = room.broker.place_order

    async def slow(*args: object, **kwargs: object) -> object:
        await answered.wait()
        return await original(*args, **kwargs)  # type: ignore[arg-type]

    room.broker.place_order = slow  # type: ignore[method-assign,assignment]
    placing = asyncio.ensure_future(room.desk.place(room.request(), TODAY))
    drained = asyncio.ensure_future(room.desk.drained())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not drained.done()
    answered.set()
    await placing
    await asyncio.wait_for(drained, 60)
