"""The trade date's counters: bought, orders, profit and loss. Built from the journal, so a restart changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bots.orders import DayMark, DeskOrder
from bots.own_orders import OwnOrders
from shared.domain.order import Position, Side
from shared.domain.order_state import OrderStatus

PriceOf = Callable[[str], Decimal | None]
CARRIED = timedelta(days=6)  # fills are kept for a week
DAY = ""  # the mark that says the day has been marked, holdings or none
HALT = "!"  # the mark that says the day's loss has reached the limit, which stands in its price
_NO_SYMBOLS = frozenset({DAY, HALT})
_NOT_AN_ORDER = frozenset({OrderStatus.PENDING, OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED})


class DayBook:
    def __init__(self, orders: OwnOrders, marks: tuple[DayMark, ...]) -> None:
        self._orders = orders
        self._marks = {(mark.trade_date, mark.symbol): mark for mark in marks}

    def marked(self, today: date) -> bool:
        return (today, DAY) in self._marks

    def first_marks(self, today: date, positions: tuple[Position, ...], price_of: PriceOf) -> tuple[DayMark, ...]:
        """The marks of a new trade date: what is held, at its last price. To be journalled, then kept.

        Where an earlier date was marked, what that mark and our fills since make is held: shares that came or went
        between the dates without an order of ours are a difference, and no new beginning.
        """
        seq, before = self._orders.fill_seq, self._last_marked(today)
        theirs = {one.symbol: one for one in positions if one.quantity}
        names = set(theirs) if before is None else {*theirs, *self.symbols()}
        marks = [DayMark(today, DAY, 0, Decimal(0), seq)]
        for symbol in sorted(names):
            one = theirs.get(symbol)
            quantity = self.expected(before, symbol) if before is not None else None
            quantity = quantity if quantity is not None else (one.quantity if one is not None else 0)
            price = (one.last_price if one is not None else None) or price_of(symbol)
            price = price or (one.average_price if one is not None else next(iter(self.prices(symbol)), Decimal(0)))
            if quantity:
                marks.append(DayMark(today, symbol, quantity, price, seq))
        return tuple(marks)

    def symbols(self) -> set[str]:
        """What was held or traded since the earliest mark that is kept."""
        return {symbol for _, symbol in self._marks if symbol not in _NO_SYMBOLS} | {
            fill.symbol for fill in self._orders.fills
        }

    def prices(self, symbol: str) -> list[Decimal]:
        """The prices of a symbol at the marks of the days, newest first."""
        days = sorted((day for day, name in self._marks if name == symbol), reverse=True)
        return [self._marks[day, symbol].price for day in days]

    def _last_marked(self, today: date) -> date | None:
        """The last date before `today` that was marked, if our fills since then are all still at hand."""
        days = [day for day, name in self._marks if name == DAY and timedelta(0) < today - day <= CARRIED]
        return max(days, default=None)

    def keep(self, marks: tuple[DayMark, ...]) -> None:
        for mark in marks:
            self._marks[mark.trade_date, mark.symbol] = mark

    def corrected(self, today: date, symbol: str, by: int, price: Decimal) -> DayMark:
        """The day's mark of `symbol`, with `by` shares more: a person says that the broker's holding is right."""
        mark, day = self._marks.get((today, symbol)), self._marks[today, DAY]
        had, was = (mark.quantity, mark.price) if mark is not None else (0, price)
        return DayMark(today, symbol, had + by, was, day.fill_seq)

    def rescaled(self, today: date, symbol: str, ours: int, theirs: int, price: Decimal) -> DayMark:
        """The day's mark of `symbol` after a corporate action made `theirs` of `ours` shares, worth as much as before.

        Is the mark's price nearer to that of now than to what it was worth in old shares, it is one of new shares.
        """
        fresh = self.corrected(today, symbol, theirs - ours, price)
        scaled = fresh.price * ours / theirs
        return replace(fresh, price=scaled) if abs(scaled - price) < abs(fresh.price - price) else fresh

    def told(self, today: date) -> list[list[object]]:
        """The day's marks for the heartbeat: a host that takes the account over counts the day from the same start."""
        kept = [mark for (day, _), mark in self._marks.items() if day == today]
        return [[one.trade_date.isoformat(), one.symbol, one.quantity, str(one.price)] for one in kept]

    def expected(self, today: date, symbol: str) -> int | None:
        """The holding that the day's mark and our fills since then make; None before the day is marked."""
        if not self.marked(today):
            return None
        mark = self._marks.get((today, symbol))
        since = self._marks[today, DAY].fill_seq
        net = sum(
            fill.quantity if fill.side is Side.BUY else -fill.quantity
            for fill in self._orders.fills
            if fill.symbol == symbol and fill.seq > since
        )
        return (mark.quantity if mark else 0) + net

    def bought(self, today: date, reserve: Callable[[DeskOrder], Decimal]) -> Decimal:
        """Money of the day's buys: filled, and open or unknown ones as if filled."""
        filled = sum(
            (fill.amount for fill in self._orders.fills if fill.side is Side.BUY and fill.trade_date == today),
            Decimal(0),
        )
        return filled + sum((reserve(one) for one in self._orders.open() if one.side is Side.BUY), Decimal(0))

    def order_count(self, today: date) -> int:
        """Orders of the day that reached the broker or may have."""
        return sum(1 for one in self._orders.all() if one.trade_date == today and one.status not in _NOT_AN_ORDER)

    def pnl(self, today: date, price_of: PriceOf) -> Decimal | None:
        """Profit of the day at last prices, fees excluded; None when a price or the day's mark is missing.

        Per symbol: what the day's sales brought, less what its buys cost, plus the holding now, less the holding then.
        """
        if not self.marked(today):
            return None
        since = self._marks[today, DAY].fill_seq
        flow: dict[str, Decimal] = defaultdict(Decimal)
        held: dict[str, int] = defaultdict(int)
        for (day, symbol), mark in self._marks.items():
            if day == today and symbol not in _NO_SYMBOLS:
                flow[symbol] -= mark.price * mark.quantity
                held[symbol] += mark.quantity
        for fill in self._orders.fills:
            if fill.seq > since:
                sign = 1 if fill.side is Side.BUY else -1
                flow[fill.symbol] -= sign * fill.amount
                held[fill.symbol] += sign * fill.quantity
        total = Decimal(0)
        for symbol, amount in flow.items():
            price = price_of(symbol) if held[symbol] else Decimal(0)
            if price is None:
                return None
            total += amount + price * held[symbol]
        return total

    def lost(self, today: date, limit: Decimal, price_of: PriceOf) -> DayMark | None:
        """The mark that the day's loss has reached `limit`, when that is new. To be journalled, then kept."""
        if limit <= 0 or self.halted(today, limit):
            return None
        pnl = self.pnl(today, price_of)
        return DayMark(today, HALT, 0, limit, 0) if pnl is not None and pnl <= -limit else None

    def halted(self, today: date, limit: Decimal) -> bool:
        """Whether the day's loss has once reached `limit`: prices that come back undo nothing, a higher limit does."""
        mark = self._marks.get((today, HALT))
        return mark is not None and limit <= mark.price
