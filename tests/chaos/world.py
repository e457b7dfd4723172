"""A broker in memory for long runs: it loses answers, lists late, fills when it likes, and a person trades beside us.

It keeps what a real one never tells: which of its orders came from which intent of ours. That is the truth of the soak.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from brokers.contract import RateBudget
from shared.domain.errors import BrokerUnavailable, OrderRejected, OutcomeUnknown, RateLimited
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import (
    BrokerOrder,
    Cash,
    Fill,
    OrderAck,
    OrderNotice,
    OrderSession,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from tests.fakes import KEY, FakeBroker, FakeClock

TICK = Decimal("0.5")
REACTION_S = 4.0  # a person sees that an order hangs, and types it again
FIRST_NUMBER = 100
OPENING = 500  # shares of each symbol at the start
Hook = Callable[[str], Awaitable[None]]  # an intent id, at the moment its bytes reach the broker


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often what goes wrong; probabilities per event."""

    lost: float = 0.03  # an order's answer never comes; half of them arrived
    refused: float = 0.02
    rate_limited: float = 0.01  # proven not accepted: the same intent may go again
    change_lost: float = 0.05  # answers of cancels and amendments
    read_fails: float = 0.03
    lagging: float = 0.25  # accepted, and in no list for a while
    notice_lost: float = 0.10
    notice_doubled: float = 0.10
    look_alike: float = 0.02  # a person enters the same order as our latest, by hand
    again_by_hand: float = 0.10  # ... because its answer was lost
    manual: float = 0.01


@dataclass(slots=True)
class Placed:
    """One order at the broker, and whose it is."""

    row: BrokerOrder
    intent: str | None  # None: a person's, by hand
    visible_at: datetime
    day: date
    amount: Decimal = Decimal(0)  # paid or received for its fills


@dataclass
class World(FakeBroker):
    """The broker of one seed; the driver moves its time with `advance`."""

    clock: FakeClock
    rng: Random
    trouble: Trouble
    on_wire: Hook
    book_of: dict[str, Placed] = field(default_factory=dict)  # number of the day → order
    past: list[Placed] = field(default_factory=list)  # of earlier days; their numbers come again
    sends: dict[str, list[str]] = field(default_factory=dict)  # intent → what became of each of its socket writes
    notices: list[OrderNotice] = field(default_factory=list)
    key = KEY

    def __post_init__(self) -> None:
        super().__init__(self.clock)
        self.day = self.clock.now.date()
        self.cash = Decimal(10_000_000)
        self.held: dict[str, int] = {}
        self.blocked_cash = Decimal(0)
        self._executions = 0
        self.latest: BrokerOrder | None = None
        self.lost_latest = False
        self.latest_at = self.clock.now

    # --- what the bot calls

    async def place_order(
        self, symbol: str, side: Side, quantity: int, price: Decimal | None, *, order_type: OrderType = OrderType.LIMIT,
        venue: Venue | None = None, time_in_force: TimeInForce = TimeInForce.DAY,
        session: OrderSession = OrderSession.REGULAR, correlation_id: str | None = None,
    ) -> OrderAck:  # fmt: skip
        assert correlation_id is not None
        await self.on_wire(correlation_id)
        writes = self.sends.setdefault(correlation_id, [])
        if self._chance(self.trouble.rate_limited):
            writes.append("limited")
            raise RateLimited("SIM", "EGW00201", "too many", 0.0)
        if self._chance(self.trouble.refused) or (side is Side.SELL and self._sellable(symbol) < quantity):
            writes.append("refused")
            raise OrderRejected("SIM", "1", "no")
        assert price is not None
        lost = self._chance(self.trouble.lost)
        self.latest, self.lost_latest = self.row(symbol, side, quantity, price, number="-"), lost
        if lost and self._chance(0.5):
            writes.append("vanished")
            self.clock.pass_s(self.rng.choice([0, 0, 1, 5, 10]))
            self.latest_at = self.clock.now
            raise OutcomeUnknown("SIM", "-", "no answer, and it never arrived")
        placed = self._book(symbol, side, quantity, price, correlation_id)
        writes.append("booked")
        if self._chance(0.15):
            self._fill(placed, self.rng.randint(1, quantity))  # the fill outruns the answer
            await asyncio.sleep(0)  # others of the loop may see it first
        if lost:
            self.clock.pass_s(self.rng.choice([0, 0, 1, 5, 10]))
            self.latest_at = self.clock.now
            raise OutcomeUnknown("SIM", "-", "no answer, and it arrived")
        return OrderAck(placed.row.broker_order_id, self.clock.wall_now())

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        placed = self._today(original.broker_order_id)
        arrives, lost = self._change_fate()
        if arrives:
            if placed.row.leaves_quantity == 0:
                raise OrderRejected("SIM", "done", "nothing left to cancel")
            placed.row = replace(placed.row, canceled=True, leaves_quantity=0)
        if lost:
            raise OutcomeUnknown("SIM", "-", "no answer to the cancel")
        return OrderAck(self._next(), self.clock.wall_now())

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        placed = self._today(original.broker_order_id)
        arrives, lost = self._change_fate()
        number = ""
        if arrives:
            if placed.row.leaves_quantity < quantity:
                raise OrderRejected("SIM", "done", "less is left than is to be amended")
            old = placed.row
            placed.row = replace(old, leaves_quantity=0)
            fresh = self._book(old.symbol, old.side, quantity, price, placed.intent, orig=old.broker_order_id)
            number = fresh.row.broker_order_id
        if lost:
            raise OutcomeUnknown("SIM", "-", "no answer to the amendment")
        return OrderAck(number, self.clock.wall_now())

    async def get_open_orders(self) -> list[BrokerOrder]:
        self._read()
        return [one.row for one in self._shown() if one.row.leaves_quantity > 0]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        self._read()
        return [one.row for one in self._shown() if since <= one.day <= until]

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        self._read()
        symbols = sorted({*self.held, *(one.row.symbol for one in self.every())})
        found = [self._position(symbol) for symbol in symbols]
        return [one for one in found if one.quantity]

    async def get_cash(self) -> Cash:
        self._read()
        reserved = sum(
            (
                (one.row.price or Decimal(0)) * one.row.leaves_quantity
                for one in self._open()
                if one.row.side is Side.BUY
            ),
            Decimal(0),
        )
        left = self.cash - reserved
        return Cash(Currency.USD, self.cash, left, self.clock.wall_now())

    def rate_budget(self) -> RateBudget:
        return RateBudget(20.0, 0, 0, 0)

    # --- what the market and a person do

    def advance(self, seconds: float) -> None:
        """Let time pass: open orders fill here and there, a person trades by hand."""
        self.clock.pass_s(seconds)
        for placed in self._open():
            if self._chance(min(0.02 * seconds, 0.6)):
                self._fill(placed, self.rng.randint(1, placed.row.leaves_quantity))
        alike = self.trouble.again_by_hand if self.lost_latest else self.trouble.look_alike
        slow_enough = (self.clock.now - self.latest_at).total_seconds() >= REACTION_S
        if self.latest is not None and slow_enough and self._chance(alike):
            like = self.latest
            if like.side is Side.BUY or self._sellable(like.symbol) >= like.quantity:
                self._book(like.symbol, like.side, like.quantity, like.price or Decimal(100), None)
        if self._chance(self.trouble.manual):
            self._book(self.rng.choice(sorted(self.held)), Side.BUY, self.rng.randint(1, 9), Decimal(90), None)

    def end_session(self, next_open: datetime) -> None:
        """Everything open ends; the next trade date begins."""
        for placed in self._open():
            placed.row = replace(placed.row, leaves_quantity=0)
        self.clock.pass_s((next_open - self.clock.now).total_seconds())
        self.day = self.clock.now.date()
        keep = self.day - timedelta(days=9)
        self.past = [one for one in self.every() if one.day >= keep]
        self.book_of = {}
        self._number = FIRST_NUMBER  # brokers count anew each day

    def every(self) -> list[Placed]:
        """The orders of all days that the broker still lists."""
        return [*self.past, *self.book_of.values()]

    def named(self, day: date, number: str) -> Placed | None:
        """The order of that day and number."""
        return next((one for one in self.every() if (one.day, one.row.broker_order_id) == (day, number)), None)

    def orders_of(self, intent: str) -> list[Placed]:
        """What the broker has of an intent, first numbers only: an amendment goes by a number of its own."""
        return [one for one in self.every() if one.intent == intent and one.row.orig_order_id is None]

    def filled_of(self, intent: str) -> int:
        return sum(one.row.filled_quantity for one in self.every() if one.intent == intent)

    def take_notices(self) -> list[OrderNotice]:
        """The notices since the last call, some of them missing, doubled, out of order."""
        kept: list[OrderNotice] = []
        for notice in self.notices:
            if self._chance(self.trouble.notice_lost):
                continue
            kept += [notice] * (2 if self._chance(self.trouble.notice_doubled) else 1)
        self.notices.clear()
        if self._chance(0.2):
            self.rng.shuffle(kept)
        return kept

    def _today(self, number: str) -> Placed:
        """The order that the broker knows by this number today: one of yesterday is over."""
        if number not in self.book_of:
            raise OrderRejected("SIM", "none", "no such order")
        return self.book_of[number]

    def _book(
        self, symbol: str, side: Side, quantity: int, price: Decimal, intent: str | None, orig: str | None = None
    ) -> Placed:
        row = self.row(symbol, side, quantity, price, number=self._next(), orig=orig)
        row = replace(row, ordered_at=row.ordered_at.replace(microsecond=0))  # broker clocks have whole seconds
        placed = Placed(row, intent, self.clock.now + timedelta(seconds=self._lag()), self.day)
        self.book_of[row.broker_order_id] = placed
        return placed

    def _lag(self) -> float:
        if not self._chance(self.trouble.lagging):
            return 0.0
        return self.rng.uniform(0, 5) if self._chance(0.8) else self.rng.uniform(5, 90)

    def _fill(self, placed: Placed, quantity: int) -> None:
        row = placed.row
        quantity = min(quantity, row.leaves_quantity)
        if quantity <= 0:
            return
        price = (row.price or Decimal(100)) - TICK * self.rng.randint(0, 2) * (1 if row.side is Side.BUY else -1)
        placed.amount += price * quantity
        filled = row.filled_quantity + quantity
        average = (placed.amount / filled).quantize(Decimal("0.0001"))  # brokers round it
        placed.row = replace(
            row, filled_quantity=filled, average_fill_price=average, leaves_quantity=row.leaves_quantity - quantity
        )
        sign = 1 if row.side is Side.BUY else -1
        self.held[row.symbol] = self.held.get(row.symbol, 0) + sign * quantity
        self.cash -= sign * price * quantity
        self._executions += 1
        fill = Fill(str(self._executions), row.broker_order_id, row.symbol, row.side, quantity, price, self.clock.now)
        self.notices.append(OrderNotice(row.broker_order_id, row.symbol, "filled", self.clock.now, fill))

    def _position(self, symbol: str) -> Position:
        return Position(symbol, self.held.get(symbol, 0), self._sellable(symbol), Decimal(100), Currency.USD)

    def _sellable(self, symbol: str) -> int:
        offered = sum(
            one.row.leaves_quantity for one in self._open() if one.row.symbol == symbol and one.row.side is Side.SELL
        )
        return self.held.get(symbol, 0) - offered

    def _open(self) -> list[Placed]:
        return [one for one in self.book_of.values() if one.row.leaves_quantity > 0]

    def _shown(self) -> list[Placed]:
        return [one for one in self.every() if one.visible_at <= self.clock.now]

    def _change_fate(self) -> tuple[bool, bool]:
        """Whether a cancel or an amendment arrives, and whether its answer is lost."""
        lost = self._chance(self.trouble.change_lost)
        return not lost or self._chance(0.5), lost

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _read(self) -> None:
        if self._chance(self.trouble.read_fails):
            raise BrokerUnavailable("SIM", "-", "a page could not be read")
