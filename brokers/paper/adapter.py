"""The exchange in the process of a backtest: one account, immediate answers, the matching of book.py, no wire.

Its market is what it is shown: one price for buyers, one for sellers, and a size. Orders are immediate or cancelled: what the
shown size does not fill is taken back, as a bar of history cannot tell who else waited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from brokers.paper.book import Book, OrderKey, WorkingOrder
from shared.domain.account import BrokerName
from shared.domain.market import BookLevel
from shared.domain.order import OrderRequest, Side

Fee = Callable[[Side, int, Decimal, date], Decimal]
PLENTY = 10**12  # the size shown where volume is no limit


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of an order at once. `amount` is price × quantity, `fee` everything taken from the trade."""

    quantity: int
    price: Decimal
    amount: Decimal
    fee: Decimal


NOTHING = Filled(0, Decimal(0), Decimal(0), Decimal(0))


@dataclass(slots=True)
class PaperBroker:
    """Cash and holdings of one account; long only, no credit."""

    cash: Decimal
    fee: Fee
    holdings: dict[str, int] = field(default_factory=dict)
    _books: dict[str, Book] = field(default_factory=dict)
    _numbers: int = 0

    def place_order(self, request: OrderRequest, shown: Decimal, size: int, on: date) -> Filled:
        """Send an order into a market that shows `size` shares at `shown` on its other side; the rest is cancelled.

        A sale of more than is held, or a purchase beyond the cash with its fee, fills nothing.
        """
        if request.side is Side.SELL and request.quantity > self.holdings.get(request.symbol, 0):
            return NOTHING
        book = self._books.get(request.symbol)
        if book is None:
            book = self._books[request.symbol] = Book()
        level = (BookLevel(shown, size),)
        book.show(level, ()) if request.side is Side.SELL else book.show((), level)
        self._numbers += 1
        key: OrderKey = (BrokerName.KIS, "paper", self._numbers)
        book.add(WorkingOrder(key, request.side, request.price, request.quantity))
        matches = book.sweep()
        filled = 0
        for one in matches:
            filled += one.quantity
        if filled < request.quantity:
            book.reduce(key, request.quantity - filled)
        return self._booked(request, filled, matches[0].price, on) if filled else NOTHING

    def credit(self, amount: Decimal) -> None:
        """Pay a dividend."""
        self.cash += amount

    def _booked(self, request: OrderRequest, quantity: int, price: Decimal, on: date) -> Filled:
        amount, fee = price * quantity, self.fee(request.side, quantity, price, on)
        buying = request.side is Side.BUY
        if buying and amount + fee > self.cash:
            return NOTHING
        self.cash += -amount - fee if buying else amount - fee
        held = self.holdings.get(request.symbol, 0) + (quantity if buying else -quantity)
        self.holdings[request.symbol] = held
        return Filled(quantity, price, amount, fee)
