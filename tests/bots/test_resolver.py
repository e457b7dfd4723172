"""What is asked of the broker and when: the schedule of an unproven order, the dates of a list, what ends by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bots.orders import JournalKind
from shared.domain.errors import NotSupported, WireError
from shared.domain.order import BrokerOrder, OrderNotice, OrderSession, Side
from shared.domain.order_state import OrderStatus
from tests.bots.conftest import TODAY, Room
from tests.bots.test_desk import _noticed
from tests.bots.test_reconcile import lose, resolve_for, status


async def test_where_a_look_takes_eleven_seconds_absence_is_still_proven_on_schedule(room: Room) -> None:
    """LS answers one list of US orders a second: every look of the bot's life is a question, none is made twice."""
    answer = room.broker.get_executions

    async def slow(since: date, until: date) -> list[BrokerOrder]:
        room.clock.pass_s(11)
        return await answer(since, until)

    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    room.broker.get_executions = slow  # type: ignore[method-assign]
    lost = room.clock.monotonic()
    while status(room.orders, order.id) is OrderStatus.UNKNOWN and room.clock.monotonic() - lost < 90:
        await room.look()
        await room.reconciler.resolve_due()
        room.clock.pass_s(room.reconciler.next_due_in() or 0)
    assert status(room.orders, order.id) is OrderStatus.NOT_ACCEPTED
    assert room.clock.monotonic() - lost >= 60
    assert room.broker.sent == ["place"]


@pytest.mark.parametrize("one_list", [True, False])
async def test_what_a_list_still_shows_as_left_of_a_day_that_is_over_is_not_open(room: Room, one_list: bool) -> None:
    room.broker.executions_show_open = one_list

    async def none_open() -> list[BrokerOrder]:
        return []

    room.broker.get_open_orders = none_open  # type: ignore[method-assign]
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 3, "100.00")
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=1)
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.EXPIRED, 3)


async def test_looks_beside_the_schedule_do_not_hurry_the_proof(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    for _ in range(590):
        room.clock.pass_s(0.1)
        await (room.picture() if room.clock.now.second % 7 == 0 else room.look())
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN


async def test_a_full_look_adopts_a_lost_order_and_calls_it_ours(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(room.request(), TODAY)
    await room.look()  # the search begins
    room.clock.pass_s(1)
    picture = await room.reconciler.full()
    assert status(room.orders, order.id) is OrderStatus.ACCEPTED
    assert picture.foreign == ()


async def test_one_list_is_enough_where_it_tells_what_is_open(room: Room) -> None:
    async def twice() -> list[BrokerOrder]:
        raise AssertionError("asked the same call again")

    room.broker.executions_show_open = True
    room.broker.get_open_orders = twice  # type: ignore[method-assign]
    rests = await room.desk.place(room.request(), TODAY)
    ends = await room.desk.place(room.request(symbol="MSFT"), TODAY)
    await room.look()
    assert [status(room.orders, one.id) for one in (rests, ends)] == [OrderStatus.ACCEPTED] * 2
    row = room.broker.book[ends.broker_order_id or ""]
    room.broker.book[row.broker_order_id] = replace(row, leaves_quantity=0)
    await room.look()
    assert [status(room.orders, one.id) for one in (rests, ends)] == [OrderStatus.ACCEPTED, OrderStatus.EXPIRED]


async def test_the_schedule_is_half_a_second_to_a_minute_then_each_minute(room: Room) -> None:
    room.broker.on_place, room.broker.books_orders = lose, False
    order = await room.desk.place(room.request(), TODAY)
    room.reconciler.drifted = lambda symbol: True  # nobody is to find an answer meanwhile
    asked: list[float] = []
    answer, began = room.broker.get_executions, room.clock.monotonic()

    async def noted(since: date, until: date) -> list[BrokerOrder]:
        asked.append(room.clock.monotonic() - began)
        return await answer(since, until)

    room.broker.get_executions = noted  # type: ignore[method-assign]
    await room.reconciler.resolve_due()  # the search begins; the first question is half a second away
    assert room.reconciler.next_due_in() == 0.5
    while len(asked) < 7:
        room.clock.pass_s(room.reconciler.next_due_in() or 0)
        await room.reconciler.resolve_due()
    assert asked == [0.5, 1, 2, 4, 8, 15, 30]
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN
    room.reconciler.drifted = lambda symbol: False
    room.broker.cash -= 1  # money that nobody explains: asked on, each minute
    while len(asked) < 11:
        room.clock.pass_s(room.reconciler.next_due_in() or 0)
        await room.reconciler.resolve_due()
    assert asked[7:] == [60, 120, 180, 240]


async def test_lists_reach_back_to_the_oldest_open_order_but_no_more_than_a_week(room: Room) -> None:
    asked: list[tuple[date, date]] = []
    answer = room.broker.get_executions

    async def noted(since: date, until: date) -> list[BrokerOrder]:
        asked.append((since, until))
        return await answer(since, until)

    room.broker.get_executions = noted  # type: ignore[method-assign]
    await room.look()
    await room.desk.place(room.request(), TODAY)
    await room.desk.place(room.request(symbol="MSFT"), TODAY - timedelta(days=2))
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=1)
    await room.look()
    await room.reconciler.light(TODAY - timedelta(days=5))
    await room.reconciler.light(TODAY + timedelta(days=1))
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=30)
    await room.reconciler.light()
    days = [((since - TODAY).days, (until - TODAY).days) for since, until in asked]
    assert days == [(0, 0), (-2, 1), (-5, 1), (-2, 1), (23, 30)]


@pytest.mark.parametrize(("days", "listed", "ends"), [
    (0, True, False), (1, True, True), (1, False, False), (7, False, False), (8, False, True),
])  # fmt: skip
async def test_an_order_of_a_day_that_is_over_ends_when_a_list_says_so_or_none_reaches_back(
    room: Room, days: int, listed: bool, ends: bool
) -> None:
    order = await room.desk.place(room.request(), TODAY)
    number = order.broker_order_id or ""
    row = room.broker.book.pop(number)
    if listed:
        # a list that no longer has it among the open ones, and says of it nothing but that
        room.broker.book[number] = row

    async def none_open() -> list[BrokerOrder]:
        return []

    room.broker.get_open_orders = none_open  # type: ignore[method-assign]
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=days)
    await room.look()
    assert (status(room.orders, order.id) is OrderStatus.EXPIRED) is ends


async def test_what_a_person_lifted_is_not_stopped_for_the_same_again(room: Room) -> None:
    """An order that filled in part is surely ours: its symbol stops, and it stays what it is."""
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 3, "100.00")
    await room.look()
    room.broker.hidden.add(order.broker_order_id or "")
    await room.look()
    room.clock.pass_s(61)
    await room.look()
    assert room.orders.frozen("AAPL", Side.SELL) is not None
    await room.orders.lift_symbol("AAPL")
    room.clock.pass_s(61)
    await room.look()
    assert room.orders.frozen("AAPL", Side.SELL) is None


@pytest.mark.parametrize(("looks", "seconds", "missed"), [(2, 60, True), (2, 59, False), (1, 600, False)])
async def test_an_accepted_order_is_missed_after_two_looks_a_minute_apart(
    room: Room, looks: int, seconds: float, missed: bool
) -> None:
    order = await room.desk.place(room.request(), TODAY)
    room.broker.hidden.add(order.broker_order_id or "")
    room.clock.pass_s(0 if looks > 1 else seconds)
    await room.look()
    if looks > 1:
        room.clock.pass_s(seconds)
        await room.look()
    assert (status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR) is missed


async def test_an_order_that_was_seen_again_is_missed_anew(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)
    number = order.broker_order_id or ""
    for hidden in (True, False, True):
        room.broker.hidden = {number} if hidden else set()
        room.clock.pass_s(61)
        await room.look()
    assert room.orders.frozen("AAPL", Side.SELL) is None


async def test_a_fill_that_outran_the_answer_is_counted_with_the_answer(room: Room) -> None:
    """No list is asked: what was kept of the stream is enough."""
    noticed: list[OrderNotice] = []
    room.broker.on_place = lambda row: noticed.append(_noticed(row.broker_order_id, "e1", 10, room))
    accepted = room.orders.apply

    async def outrun(order_id: str, *args: object, **more: object) -> object:
        for one in noticed:
            await room.executions.apply_notice(one)
        noticed.clear()
        return await accepted(order_id, *args, **more)  # type: ignore[arg-type]

    room.orders.apply = outrun  # type: ignore[assignment,method-assign]
    order = await room.desk.place(room.request(quantity=10), TODAY)
    assert (order.status, order.filled_quantity, order.filled_amount) == (OrderStatus.FILLED, 10, Decimal(1000))


async def test_two_lost_orders_of_one_shape_never_share_a_row(room: Room) -> None:
    """A person may have lifted the freeze: two unknown twins, one row at the broker."""
    room.broker.on_place = lose
    first = await room.desk.place(room.request(), TODAY)
    room.broker.books_orders = False
    second = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 3)
    numbers = [one.broker_order_id for one in (room.orders.get(first.id), room.orders.get(second.id)) if one]
    assert sorted(numbers, key=str) in ([number, None] for number in room.broker.book)


async def test_a_broker_that_takes_reservations_and_lists_none_is_asked_for_the_rest(room: Room) -> None:
    async def none(since: date, until: date) -> list[BrokerOrder]:
        raise NotSupported("SIM", "-", "예약주문 조회가 없습니다 / no list of reservations")

    room.broker.get_reserved_orders = none  # type: ignore[method-assign]
    await room.desk.place(replace(room.request(), session=OrderSession.RESERVED), TODAY)
    order = await room.desk.place(room.request(symbol="MSFT", quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "100.00")
    await room.look()
    assert status(room.orders, order.id) is OrderStatus.FILLED


async def test_the_first_question_about_a_lost_order_is_due_at_once(room: Room) -> None:
    assert room.reconciler.next_due_in() is None
    room.broker.on_place = lose
    await room.desk.place(room.request(), TODAY)
    assert room.reconciler.next_due_in() == 0.0


async def test_a_last_open_share_keeps_an_order_open(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 9, "100.00")
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=1)  # asked after its date, still in the open list
    await room.look()
    assert status(room.orders, order.id) is OrderStatus.PARTIAL


async def test_an_order_that_ended_while_the_cancel_was_written_down_is_not_cancelled(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    note = room.orders.note

    async def meanwhile(order_id: str, *args: object, **more: object) -> object:
        noted = await note(order_id, *args, **more)  # type: ignore[arg-type]
        await room.executions.apply_notice(_noticed(order.broker_order_id or "", "e1", 10, room))
        return noted

    room.orders.note = meanwhile  # type: ignore[assignment,method-assign]
    after = await room.desk.cancel(order.id, "test")
    assert after.status is OrderStatus.FILLED
    assert room.broker.sent == ["place"]


async def test_a_row_of_our_number_that_is_another_order_stops_the_symbol_with_one_alert(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)
    number = order.broker_order_id or ""
    room.broker.book[number] = replace(room.broker.book[number], side=Side.SELL)
    await room.look()
    await room.look()
    assert number in room.orders.stopped["AAPL"]
    told = [row for row in await room.journal.queued(1000) if "ORDER_CONTRADICTION" in row.body]
    assert len(told) == 1


@pytest.mark.parametrize(("averages", "price", "amounts"), [
    (("100.10", "100.05"), "100.00", ["100.10", "100.00"]),  # the second share's own price
    (("100.00", "50.00"), "100.00", ["100.00", "50.00"]),  # what would be a price of nothing: the broker's average
    ((None, None), "100.00", ["100.00", "100.00"]),  # none told: the order's own
    (("0", "0"), "100.00", ["100.00", "100.00"]),
])  # fmt: skip
async def test_new_shares_are_priced_by_what_the_average_grew(
    room: Room, averages: tuple[str | None, str | None], price: str, amounts: list[str]
) -> None:
    order = await room.desk.place(room.request(quantity=2, price=price), TODAY)
    number = order.broker_order_id or ""
    for filled, average in enumerate(averages, 1):
        told = None if average is None else Decimal(average)
        row = room.broker.book[number]
        room.broker.book[number] = replace(
            row, filled_quantity=filled, average_fill_price=told, leaves_quantity=2 - filled
        )
        await room.look()
    assert [fill.price for fill in room.orders.fills] == [Decimal(amount) for amount in amounts]


async def test_shares_without_any_price_are_an_error_not_a_guess(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=2, price=None), TODAY)
    number = order.broker_order_id or ""
    room.broker.book[number] = replace(room.broker.book[number], price=None, filled_quantity=1, leaves_quantity=1)
    with pytest.raises(WireError):
        await room.look()
    assert room.orders.fills == []


async def test_the_end_of_a_day_is_written_as_an_end(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)
    number = order.broker_order_id or ""
    room.broker.book[number] = replace(room.broker.book[number], leaves_quantity=0)
    room.reconciler.trade_date = lambda: TODAY + timedelta(days=1)
    await room.look()
    history = await room.orders.history(order.id)
    assert (history[-1].kind, history[-1].to_status) == (JournalKind.TERMINAL, OrderStatus.EXPIRED)
    assert [row.kind for row in history].count(JournalKind.TERMINAL) == 1
