"""Recovery and the resolver: an unknown order is looked up, adopted, proven absent or handed to a person; never resent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bots.executions import BrokerView
from bots.orders import DeskOrder, JournalKind
from bots.own_orders import OwnOrders
from shared.domain.errors import BrokerUnavailable, OutcomeUnknown, Refused
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, Position, Side
from shared.domain.order_state import OrderEventKind, OrderStatus
from tests.bots.conftest import TODAY, Room
from tests.bots.test_desk import _noticed


def lose(row: object) -> None:
    raise OutcomeUnknown("KIS", "-", "no answer")


def status(orders: OwnOrders, order_id: str) -> OrderStatus:
    order = orders.get(order_id)
    assert order is not None
    return order.status


async def resolve_for(room: Room, seconds: float, step: float = 0.5) -> None:
    for _ in range(int(seconds / step)):
        room.clock.pass_s(step)
        await room.reconciler.resolve_due()


async def test_an_order_that_arrived_is_adopted_with_its_fills(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number = next(iter(room.broker.book))
    room.broker.fill(number, 4, "100.00")
    await resolve_for(room, 2)
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.status, after.broker_order_id, after.filled_quantity) == (OrderStatus.PARTIAL, number, 4)
    assert room.broker.sent == ["place"]
    assert room.orders.frozen("AAPL", Side.BUY) is None


async def test_an_order_that_never_arrived_is_proven_absent_after_a_minute_of_looks(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 59)
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN
    await resolve_for(room, 3)
    assert status(room.orders, order.id) is OrderStatus.NOT_ACCEPTED
    assert room.broker.sent == ["place"]


async def test_looks_that_fail_prove_nothing(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    room.broker.down = True
    for _ in range(200):
        room.clock.pass_s(1)
        try:
            await room.reconciler.resolve_due()
        except BrokerUnavailable:
            continue
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN


async def test_an_order_that_shows_up_late_is_adopted(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 20)
    request = order.request
    late = room.broker.row("AAPL", Side.BUY, request.quantity, request.price)
    room.broker.book[late.broker_order_id] = replace(late, ordered_at=order.market_at)
    await resolve_for(room, 30)
    assert status(room.orders, order.id) is OrderStatus.ACCEPTED


async def test_two_look_alikes_go_to_a_person(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(room.request(), TODAY)
    twin = room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00"))
    room.broker.book[twin.broker_order_id] = twin
    await resolve_for(room, 2)
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR
    assert room.orders.frozen("AAPL", Side.BUY) is not None


@pytest.mark.parametrize(
    "change",
    [{"quantity": 11}, {"price": Decimal("100.01")}, {"side": Side.SELL}, {"symbol": "MSFT"}, {"orig_order_id": "9"}],
)
async def test_another_shape_is_no_candidate(room: Room, change: dict[str, object]) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    other = replace(room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00")), **change)  # type: ignore[arg-type]
    room.broker.book[other.broker_order_id] = other
    await resolve_for(room, 10)
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN


async def test_an_order_seen_before_the_send_is_no_candidate(room: Room) -> None:
    manual = room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00"))
    room.broker.book[manual.broker_order_id] = manual
    await room.picture()
    room.clock.pass_s(1)
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NOT_ACCEPTED


async def test_an_order_that_left_while_the_list_was_being_asked_for_is_found(room: Room) -> None:
    """The list was asked for before the send and answered after it: the row in it may well be the send."""
    answer = room.broker.get_executions

    async def slow(since: date, until: date) -> list[BrokerOrder]:
        room.broker.get_executions = answer  # type: ignore[method-assign]
        room.clock.pass_s(2)
        await room.desk.place(room.request(), TODAY)
        room.clock.pass_s(2)
        return await answer(since, until)

    room.broker.on_place = lose
    room.broker.get_executions = slow  # type: ignore[method-assign]
    await room.look()
    await resolve_for(room, 10)
    order = room.orders.all()[0]
    assert (order.status, order.broker_order_id) == (OrderStatus.ACCEPTED, next(iter(room.broker.book)))


@pytest.mark.parametrize("filled", [0, 4, 10])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
async def test_an_order_that_no_list_shows_is_not_absent_while_money_or_shares_say_otherwise(
    room: Room, side: Side, filled: int
) -> None:
    room.broker.positions = [Position("AAPL", 50, 50, Decimal(90), Currency.USD)]
    await room.picture()
    room.broker.on_place = lose
    order = await room.desk.place(room.request(side), TODAY)
    number = next(iter(room.broker.book))
    room.broker.hidden.add(number)
    if filled:
        room.broker.fill(number, filled, "100.00")
    await resolve_for(room, 200)
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN  # asked again and again
    room.broker.hidden.clear()
    await resolve_for(room, 120)
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.broker_order_id, after.filled_quantity) == (number, filled)


async def test_money_that_never_fits_is_a_persons_matter_in_the_end(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(room.request(), TODAY)
    room.broker.hidden.update(room.broker.book)
    await resolve_for(room, 60 * 12, step=5)
    after = room.orders.get(order.id)
    assert after is not None
    assert after.status is OrderStatus.NEEDS_OPERATOR
    assert "주문 가능 금액" in after.note


async def test_what_other_orders_did_meanwhile_is_no_reason_to_doubt(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.books_orders, room.broker.on_place = True, lambda row: None
    other = await room.desk.place(room.request(quantity=9, symbol="MSFT"), TODAY)
    room.broker.fill(other.broker_order_id or "", 9, "99.00")
    await room.look()
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NOT_ACCEPTED


async def test_a_persons_own_order_meanwhile_lets_money_prove_nothing(room: Room) -> None:
    """His money may be what hides ours."""
    waits = room.broker.row("TSLA", Side.BUY, 5, Decimal("90.00"))
    room.broker.book[waits.broker_order_id] = waits
    await room.picture()
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    again = await room.restart()
    await again.reconciler.recover()
    again.broker.fill(waits.broker_order_id, 2, "90.00")  # it was there before, and moves now
    await resolve_for(again, 65)
    assert status(again.orders, order.id) is OrderStatus.UNKNOWN
    await resolve_for(again, 60 * 11, step=5)
    after = again.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.NEEDS_OPERATOR
    assert waits.broker_order_id in after.note
    await again.journal.close()


async def test_without_knowing_what_was_before_nothing_is_proven(room: Room) -> None:
    room.portfolio.cash = None
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR


async def test_what_was_before_survives_a_restart(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    again = await room.restart()
    await again.reconciler.recover()
    await resolve_for(again, 65)
    assert status(again.orders, order.id) is OrderStatus.NOT_ACCEPTED
    await again.journal.close()


async def test_holdings_that_do_not_fit_stop_the_proof_of_absence(room: Room) -> None:
    room.reconciler.drifted = lambda symbol: True
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR


async def test_a_crash_before_sending_is_proven_not_sent(room: Room) -> None:
    order = await room.orders.open_intent(room.request(), TODAY, None, None)
    again = await room.restart()
    await again.reconciler.recover()
    assert status(again.orders, order.id) is OrderStatus.NOT_ACCEPTED
    assert room.broker.sent == []
    await again.journal.close()


async def test_a_crash_after_sending_is_unknown_and_resolved_by_asking(room: Room) -> None:
    sent = await room.orders.open_intent(room.request(), TODAY, None, None)
    await room.orders.apply(sent.id, OrderEventKind.SEND, JournalKind.SENDING, sent_at=room.clock.wall_now())
    await room.broker.place_order(
        "AAPL", Side.BUY, 10, Decimal("100.00")
    )  # the process dies before it reads the answer
    again = await room.restart()
    await again.reconciler.recover()
    order = again.orders.all()[0]
    assert order.status is OrderStatus.UNKNOWN
    await resolve_for(again, 3)
    assert status(again.orders, order.id) is OrderStatus.ACCEPTED
    assert room.broker.sent == ["place"]
    await again.journal.close()


async def test_fills_that_came_while_we_were_away_are_counted_once(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "99.50")
    again = await room.restart()
    await again.reconciler.recover()
    picture = await again.reconciler.full()
    assert picture.steady  # the list told the fill before holdings and cash were asked: they have it
    assert [fill.quantity for fill in again.orders.fills] == [10]
    assert again.orders.lots.held("AAPL") == 10
    await again.journal.close()


async def test_a_fill_told_between_holdings_and_cash_makes_the_picture_unsteady(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number, cash = order.broker_order_id or "", room.broker.get_cash

    async def filled_meanwhile() -> Cash:
        room.broker.fill(number, 4, "99.50")
        await room.executions.apply_view(BrokerView((room.broker.book[number],), frozenset({(TODAY, number)})))
        return await cash()

    monkeypatch.setattr(room.broker, "get_cash", filled_meanwhile)
    assert not (await room.reconciler.full()).steady
    monkeypatch.undo()
    assert (await room.reconciler.full()).steady


async def test_yesterdays_open_order_ends_with_its_session(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10), TODAY)
    number = order.broker_order_id or ""
    room.broker.fill(number, 3, "100.00")
    room.broker.book[number] = replace(room.broker.book[number], leaves_quantity=0)
    room.reconciler.trade_date = lambda: TODAY.replace(day=23)
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.EXPIRED, 3)


async def test_two_unknowns_at_once_do_not_hide_each_other(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    gone = await room.desk.place(room.request(quantity=5), TODAY)
    room.broker.books_orders = True
    arrived = await room.desk.place(room.request(quantity=5, symbol="MSFT"), TODAY)
    room.broker.hidden.update(room.broker.book)
    await resolve_for(room, 65)
    # Their money is the same: nobody can say which of the two it is.
    assert {status(room.orders, one.id) for one in (gone, arrived)} == {OrderStatus.UNKNOWN}
    room.broker.hidden.clear()
    await resolve_for(room, 130)
    assert status(room.orders, arrived.id) is OrderStatus.ACCEPTED
    assert status(room.orders, gone.id) is OrderStatus.NOT_ACCEPTED


async def test_shares_bought_meanwhile_do_not_hide_a_sale(room: Room) -> None:
    room.broker.positions = [Position("AAPL", 50, 50, Decimal(90), Currency.USD)]
    await room.picture()
    room.broker.on_place = lose
    sale = await room.desk.place(room.request(Side.SELL, 4), TODAY)
    room.broker.hidden.update(room.broker.book)
    room.broker.on_place = lambda row: None
    bought = await room.desk.place(room.request(Side.BUY, 4), TODAY)
    room.broker.fill(bought.broker_order_id or "", 4, "100.00")
    await room.look()
    await resolve_for(room, 65)
    assert status(room.orders, sale.id) is OrderStatus.UNKNOWN


async def test_an_order_without_price_is_proven_absent_by_money_too(room: Room) -> None:
    room.portfolio._price_of = lambda symbol: Decimal(100)
    resting = await room.desk.place(room.request(quantity=3, symbol="MSFT"), TODAY)
    room.clock.pass_s(1)
    await room.picture()
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(price=None), TODAY)
    await room.desk.cancel(resting.id, "frees its money meanwhile")
    await room.look()
    await resolve_for(room, 65)
    assert status(room.orders, order.id) is OrderStatus.NOT_ACCEPTED


async def test_a_look_alike_after_the_send_is_not_adopted_but_shown(room: Room) -> None:
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    room.clock.pass_s(5)
    manual = room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00"))
    room.broker.book[manual.broker_order_id] = manual
    await resolve_for(room, 65)
    after = room.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.NEEDS_OPERATOR
    assert manual.broker_order_id in after.note


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seconds_before": 1.2}, "이른 시각"),
        ({"number": "7"}, "앞선 번호"),
        ({"by_hand": True}, "매체"),
    ],
)
async def test_a_look_alike_that_need_not_be_our_send_goes_to_a_person(
    room: Room, change: dict[str, Any], why: str
) -> None:
    """Somebody typed the same order in the very moment, and ours never arrived."""
    await room.desk.place(room.request(symbol="MSFT"), TODAY)  # a number of ours that was known by then
    room.clock.pass_s(0.5)
    room.broker.books_orders, room.broker.on_place = False, lose
    order = await room.desk.place(room.request(), TODAY)
    manual = room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00"), number=change.pop("number", ""))
    stamped = (order.market_at - timedelta(seconds=change.pop("seconds_before", 0))).replace(microsecond=0)
    room.broker.book[manual.broker_order_id] = replace(manual, ordered_at=stamped, **change)
    await resolve_for(room, 59)
    assert status(room.orders, order.id) is OrderStatus.UNKNOWN  # ours may still show up
    await resolve_for(room, 6)
    after = room.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.NEEDS_OPERATOR
    assert why in after.note and manual.broker_order_id in after.note


async def test_a_broker_whose_clock_is_behind_is_known_by_our_own_orders(room: Room) -> None:
    def stamp_late(row: BrokerOrder) -> None:
        room.broker.book[row.broker_order_id] = replace(row, ordered_at=row.ordered_at - timedelta(seconds=2))

    room.broker.on_place = stamp_late
    await room.desk.place(room.request(symbol="MSFT"), TODAY)
    await room.look()

    def stamp_late_and_lose(row: BrokerOrder) -> None:
        stamp_late(row)
        lose(row)

    room.broker.on_place = stamp_late_and_lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 2)
    assert status(room.orders, order.id) is OrderStatus.ACCEPTED


async def test_a_second_order_of_the_same_send_stops_the_symbol(room: Room) -> None:
    room.broker.on_place = lose
    order = await room.desk.place(room.request(), TODAY)
    await resolve_for(room, 2)
    assert status(room.orders, order.id) is OrderStatus.ACCEPTED
    twin = replace(room.broker.row("AAPL", Side.BUY, 10, Decimal("100.00")), ordered_at=order.market_at)
    room.broker.book[twin.broker_order_id] = twin
    await room.look()
    assert twin.broker_order_id in (room.orders.frozen("AAPL", Side.SELL) or "")


async def test_an_amendment_is_not_called_refused_while_its_original_is_gone(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=8), TODAY)
    room.broker.on_change = lose
    await room.desk.amend(order.id, 8, Decimal("99.00"), "test")
    newest = list(room.broker.book)[-1]
    # The broker took it; its lists do not show the replacement yet.
    old = order.broker_order_id or ""
    room.broker.book[newest] = room.broker.row("AAPL", Side.BUY, 8, Decimal("99.00"), number=newest, orig=old)
    room.broker.book[old] = replace(room.broker.book[old], leaves_quantity=0)
    room.broker.hidden.add(newest)
    await resolve_for(room, 120)
    after = room.orders.get(order.id)
    assert after is not None and after.status is OrderStatus.ACCEPTED and after.amend_pending
    room.broker.hidden.clear()
    room.broker.fill(newest, 8, "98.50")
    await resolve_for(room, 120)
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.status, after.filled_quantity, after.broker_order_id) == (OrderStatus.FILLED, 8, newest)


async def test_an_amendment_that_never_arrived_is_known_by_its_open_original(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=8), TODAY)
    room.broker.amend_order = lost_change  # type: ignore[method-assign,assignment]
    await room.desk.amend(order.id, 8, Decimal("99.00"), "test")
    await resolve_for(room, 65)
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.status, after.amend_pending, after.price) == (OrderStatus.ACCEPTED, False, Decimal("100.00"))


async def test_an_order_that_a_person_amended_elsewhere_stays_ours(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=8), TODAY)
    old = order.broker_order_id or ""
    fresh = room.broker.row("AAPL", Side.BUY, 8, Decimal("101.00"), orig=old)
    room.broker.book[old] = replace(room.broker.book[old], leaves_quantity=0)
    room.broker.book[fresh.broker_order_id] = fresh
    room.broker.fill(fresh.broker_order_id, 3, "100.50")
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None
    assert (after.status, after.filled_quantity, after.price) == (OrderStatus.PARTIAL, 3, Decimal("101.00"))


async def lost_change(*_: object, **__: object) -> None:
    raise OutcomeUnknown("KIS", "-", "no answer, and it never arrived")


async def test_an_accepted_order_that_no_list_shows_is_a_persons_matter_and_exits_go_on(room: Room) -> None:
    order = await _missed(room)
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR
    assert order.id in (room.orders.frozen("AAPL", Side.BUY) or "")
    assert room.orders.frozen("AAPL", Side.SELL) is None


@pytest.mark.parametrize("filled", [0, 4])
async def test_an_order_that_the_list_shows_again_goes_on_by_itself(room: Room, filled: int) -> None:
    order = await _missed(room)
    room = await room.restart()
    assert status(room.orders, order.id) is OrderStatus.NEEDS_OPERATOR
    room.broker.hidden.clear()
    if filled:
        room.broker.fill(order.broker_order_id or "", filled, "100.00")
    await room.look()
    after = room.orders.get(order.id)
    assert after is not None and after.filled_quantity == filled
    assert after.status is (OrderStatus.PARTIAL if filled else OrderStatus.ACCEPTED)
    assert room.orders.frozen("AAPL", Side.BUY) is None
    await room.journal.close()


async def test_an_order_that_no_list_shows_can_still_be_canceled(room: Room) -> None:
    order = await _missed(room)
    await room.desk.cancel(order.id, "전체 취소")
    assert room.broker.sent == ["place", "cancel"]
    room.broker.hidden.clear()
    await room.look()
    assert status(room.orders, order.id) is OrderStatus.CANCELED
    with pytest.raises(Refused):
        await room.desk.cancel(order.id, "전체 취소")


async def test_a_fill_told_by_the_stream_brings_such_an_order_back(room: Room) -> None:
    order = await _missed(room)
    await room.executions.apply_notice(_noticed(order.broker_order_id or "", "e1", 3, room))
    after = room.orders.get(order.id)
    assert after is not None and (after.status, after.filled_quantity) == (OrderStatus.PARTIAL, 3)


async def _missed(room: Room) -> DeskOrder:
    """An accepted order that two complete looks a minute apart did not show."""
    order = await room.desk.place(room.request(quantity=10), TODAY)
    room.broker.hidden.add(order.broker_order_id or "")
    await room.look()
    room.clock.pass_s(61)
    await room.look()
    return order
