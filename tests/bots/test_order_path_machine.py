"""Whatever the broker does and whenever the process dies: one intent is at most one order, and no share is lost or
invented."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.errors import OrderRejected, OutcomeUnknown, Refused
from shared.domain.order import Fill, OrderNotice, Side
from shared.domain.order_state import OrderStatus
from tests.bots.conftest import TODAY, Room, open_room
from tests.fakes import START, FakeBroker, FakeClock

SYMBOLS = st.sampled_from(["AAPL", "MSFT"])


class OrderPath(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock(START)
        self.broker = FakeBroker(self.clock)
        self.room: Room = self.run(open_room(self.folder, self.clock, self.broker))
        self.executions = 0
        self.arrived: set[str] = set()  # our orders that the broker has, whatever it answered
        self.run(self.room.picture())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.room.journal.close())
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(symbol=SYMBOLS, quantity=st.integers(1, 9), how=st.sampled_from(["hidden", "ok", "lost", "never", "refused"]))
    def order(self, symbol: str, quantity: int, how: str) -> None:
        if self.room.orders.frozen(symbol, Side.BUY):
            return  # the guards would have refused

        def answer(row: object) -> None:
            if how in ("lost", "never", "hidden"):
                raise OutcomeUnknown("FAKE", "-", "no answer")
            if how == "refused":
                raise OrderRejected("FAKE", "1", "no")

        self.broker.on_place, self.broker.books_orders = answer, how in ("ok", "lost", "hidden")
        booked = set(self.broker.book)
        self.clock.pass_s(1)  # the broker's clock has whole seconds
        placed = self.run(self.room.desk.place(self.room.request(quantity=quantity, symbol=symbol), TODAY))
        fresh = set(self.broker.book) - booked
        self.arrived.update({placed.id} if fresh else set())
        if how == "hidden":  # the broker has it; its lists will show it later
            self.broker.hidden |= fresh

    @rule()
    def lists_catch_up(self) -> None:
        self.broker.hidden.clear()

    @precondition(lambda self: any(row.leaves_quantity for row in self.broker.book.values()))
    @rule(data=st.data(), noticed=st.booleans())
    def fill(self, data: st.DataObject, noticed: bool) -> None:
        row = data.draw(st.sampled_from([one for one in self.broker.book.values() if one.leaves_quantity]))
        quantity = data.draw(st.integers(1, row.leaves_quantity))
        self.broker.fill(row.broker_order_id, quantity, "100.00")
        if noticed:
            self.executions += 1
            fill = Fill(
                str(self.executions), row.broker_order_id, row.symbol, row.side, quantity, Decimal(100), self.clock.now
            )
            notice = OrderNotice(row.broker_order_id, row.symbol, "filled", self.clock.now, fill)
            for _ in range(data.draw(st.integers(1, 2))):
                self.run(self.room.executions.apply_notice(notice))

    @precondition(lambda self: self.room.orders.open())
    @rule(data=st.data(), lost=st.booleans())
    def cancel(self, data: st.DataObject, lost: bool) -> None:
        order = data.draw(st.sampled_from(self.room.orders.open()))

        def answer(row: object) -> None:
            if lost:
                raise OutcomeUnknown("FAKE", "-", "no answer")

        self.broker.on_change = answer
        with contextlib.suppress(Refused):  # not at the broker
            self.run(self.room.desk.cancel(order.id, "test"))

    @rule()
    def look(self) -> None:
        self.run(self.room.picture())

    @rule(seconds=st.sampled_from([1, 5, 20, 90]))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.pass_s(1)
            self.run(self.room.reconciler.resolve_due())

    @rule()
    def crash(self) -> None:
        self.room = self.run(self.room.restart())
        self.run(self.room.reconciler.recover())
        self.run(self.room.picture())

    @invariant()
    def what_arrived_is_never_called_absent(self) -> None:
        for order in self.room.orders.all():
            assert order.status is not OrderStatus.NOT_ACCEPTED or order.id not in self.arrived

    @invariant()
    def one_intent_is_at_most_one_broker_order(self) -> None:
        owned = [
            number.broker_order_id
            for order in self.room.orders.all()
            for number in self.room.orders.numbers_of(order.id)
        ]
        assert len(owned) == len(set(owned))
        assert self.broker.sent.count("place") == len(self.room.orders.all())

    @invariant()
    def no_share_is_invented(self) -> None:
        known = {
            number.broker_order_id: 0
            for order in self.room.orders.all()
            for number in self.room.orders.numbers_of(order.id)
        }
        for fill in self.room.orders.fills:
            known[fill.broker_order_id] += fill.quantity
        for number, quantity in known.items():
            assert quantity <= self.broker.book[number].filled_quantity

    @invariant()
    def after_everything_is_looked_up_the_books_agree(self) -> None:
        """Ask long enough on a copy of the state: every broker share is ours, every order has an end or is open."""
        if any(order.is_unproven for order in self.room.orders.all()):
            return
        self.run(self.room.look())
        mine = sum(fill.quantity for fill in self.room.orders.fills)
        assert mine == sum(row.filled_quantity for row in self.broker.book.values())
        for order in self.room.orders.all():
            if order.status in (OrderStatus.FILLED,):
                assert order.filled_quantity == order.quantity
        lots = sum(lot.quantity for lot in self.room.orders.lots.all())
        assert lots == mine


OrderPath.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestOrderPath = OrderPath.TestCase
