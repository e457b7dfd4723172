"""Floor: where working orders meet the tape, and what comes of it is written down.

Every method that writes stands inside the caller's transaction. Events wait in `events` until the exchange tells them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from brokers.paper.accounts import Account, AccountId
from brokers.paper.book import Book, Match, WorkingOrder
from brokers.paper.clock import ExchangeClock
from brokers.paper.ledger import EventType, Ledger, Leg, trade_legs
from brokers.paper.orderlist import OrderList, key_of, trade_date
from brokers.paper.orders import EventKind, Execution, ExOrder, ExStatus, OrderEvent
from brokers.paper.portfolio import Portfolio
from brokers.paper.prints import MINUTE
from brokers.paper.tape import Tape, Trade
from shared.domain.order import TimeInForce


class Floor:
    def __init__(
        self,
        clock: ExchangeClock,
        tape: Tape,
        ledger: Ledger,
        orders: OrderList,
        portfolio: Portfolio,
        *,
        account: Callable[[AccountId], Account],
        session_open: Callable[[str], bool],
    ) -> None:
        self._clock, self._tape, self._ledger = clock, tape, ledger
        self._orders, self._portfolio = orders, portfolio
        self._account, self._session_open = account, session_open
        self._books: dict[str, Book] = {}
        self._shown: dict[str, datetime] = {}  # symbol -> the trade whose displayed sizes its book has
        self._expired_at = datetime.min.replace(tzinfo=UTC)
        self.events: list[OrderEvent] = []
        for order in sorted(orders.all_open(), key=lambda o: (o.ordered_at, o.order_no)):
            self.work(order, resting=True)

    @property
    def idle(self) -> bool:
        """No order works anywhere."""
        return not any(len(book) for book in self._books.values())

    def work(self, order: ExOrder, *, resting: bool = False) -> None:
        """Put an order into its book; at the next `play` it first meets the sizes displayed now."""
        fok = order.time_in_force is TimeInForce.FOK
        working = WorkingOrder(key_of(order), order.side, order.price, order.leaves, all_or_none=fok, resting=resting)
        book = self._books.setdefault(order.symbol, Book())
        quote = self._tape.quote(order.symbol)
        if self._shown.get(order.symbol) != quote.at:
            self._show(quote, book)
        book.add(working)

    def leave(self, order: ExOrder, quantity: int, when_empty: ExStatus) -> None:
        """Shares were taken out of `order`; the last ones decide its status."""
        self._books[order.symbol].reduce(key_of(order), quantity)
        if not order.leaves:
            order.status = when_empty
        self._orders.changed(order)

    def expected(self, symbol: str) -> tuple[Decimal, int] | None:
        """What the running call auction would trade at now; None outside of auctions."""
        return None

    def play(self, trades: list[Trade]) -> None:
        """Let new orders meet the sizes they saw, then the tape's trades meet all; end what is over."""
        for symbol, book in self._books.items():
            if book.fresh and self._session_open(symbol) and not self._tape.halted(symbol):
                self._fill(book.sweep(), self._clock.market_now())
                self._drop_unfilled(symbol)
        for trade in trades:
            self._meet(trade)
        self.expire()

    def _meet(self, trade: Trade) -> None:
        book = self._books.get(trade.symbol)
        if book is None or not len(book):
            return
        self._fill(book.trade(trade.price, trade.quantity), trade.at)
        self._show(trade, book)
        self._fill(book.sweep(), trade.at)
        self._drop_unfilled(trade.symbol)

    def _show(self, trade: Trade, book: Book) -> None:
        snapshot = self._tape.book(trade)
        book.show(snapshot.bids, snapshot.asks)
        self._shown[trade.symbol] = trade.at

    def _fill(self, matches: list[Match], at: datetime) -> None:
        for match in matches:
            order = self._orders.get(match.key)
            if order is None:
                raise KeyError(f"the book matched an unknown order {match.key}")
            order.filled += match.quantity
            order.filled_amount += match.price * match.quantity
            if order.filled + order.canceled + order.moved == order.quantity:
                order.status = ExStatus.FILLED
            self._orders.changed(order)
            execution = self._orders.execute(order, match.quantity, match.price, at)
            legs = trade_legs(order.account, order, match.quantity, match.price)
            self.write(EventType.FILL, order, quantity=match.quantity, price=match.price, legs=legs)
            self._portfolio.moved(order.account, order.symbol, order.side, match.quantity, match.price)
            self.tell(EventKind.FILLED, order, execution=execution)

    def _drop_unfilled(self, symbol: str) -> None:
        """IOC and FOK orders never rest."""
        for order in self._orders.all_open():
            if order.symbol == symbol and order.time_in_force is not TimeInForce.DAY:
                self._end(order, EventType.CANCEL, ExStatus.CANCELED, EventKind.CANCELED, order.time_in_force.value)

    def expire(self) -> None:
        """End orders whose trade date is over or whose session has ended; looked at once a market minute."""
        now = self._clock.market_now()
        if abs(now - self._expired_at) < MINUTE:
            return
        self._expired_at = now
        for order in self._orders.all_open():
            over = trade_date(order.market, order.ordered_at) < self._tape.trade_date(order.market)
            if over or not self._session_open(order.symbol):
                self._end(order, EventType.EXPIRE, ExStatus.EXPIRED, EventKind.EXPIRED, "SESSION")

    def _end(self, order: ExOrder, kind: EventType, status: ExStatus, told: EventKind, code: str) -> None:
        left = order.leaves
        self._books[order.symbol].reduce(key_of(order), left)
        if kind is EventType.CANCEL:
            order.canceled += left
        order.status = status
        self._orders.changed(order)
        self.write(kind, order, quantity=left, code=code)
        self.tell(told, order)

    def write(
        self,
        kind: EventType,
        order: ExOrder,
        *,
        quantity: int | None = None,
        price: Decimal | None = None,
        filled: int | None = None,
        code: str | None = None,
        legs: tuple[Leg, ...] = (),
    ) -> None:
        self._ledger.append(
            kind, at=self._clock.wall_now(), market_at=self._clock.market_now(), account=order.account, order=order,
            quantity=quantity, price=price, cum_quantity=filled, code=code, legs=legs,
        )  # fmt: skip

    def close_all(self) -> None:
        """The tape is taken away: every open order expires."""
        for order in self._orders.all_open():
            self._end(order, EventType.EXPIRE, ExStatus.EXPIRED, EventKind.EXPIRED, "TAPE")
        self._books, self._shown = {}, {}

    def tell(
        self, kind: EventKind, order: ExOrder, *, execution: Execution | None = None, original: ExOrder | None = None
    ) -> None:
        account = self._account(order.account)
        self.events.append(OrderEvent(kind, account, order, self._clock.market_now(), execution, original))
