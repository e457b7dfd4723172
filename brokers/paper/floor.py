"""Floor: where working orders meet the tape, and what comes of it is written down.

Every method that writes stands inside the caller's transaction. Events wait in `events` until the exchange tells them.
What happens here depends on market times alone: fills carry the instant of the trade or of the order, expiries the
instant at which the order died, however often the exchange looks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush

from brokers.paper.accounts import Account, AccountId
from brokers.paper.book import Book, Match, OrderKey, WorkingOrder
from brokers.paper.clock import ExchangeClock
from brokers.paper.hours import ON_CLOSE, ON_OPEN, Call, Hours, Lane, lane_of
from brokers.paper.ledger import CashCode, EventType, Ledger, Leg, cost_legs, trade_legs
from brokers.paper.listings import Listing, infer_listing
from brokers.paper.orderlist import OrderList, key_of
from brokers.paper.orders import EventKind, Execution, ExOrder, ExStatus, OrderEvent
from brokers.paper.portfolio import Portfolio
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
        hours: Hours,
        account: Callable[[AccountId], Account],
    ) -> None:
        self._clock, self._tape, self._ledger, self._hours = clock, tape, ledger, hours
        self._orders, self._portfolio, self._account = orders, portfolio, account
        self._books: dict[tuple[str, Lane], Book] = {}
        self._last: dict[str, Trade] = {}  # symbol -> the newest trade that its books know
        self._deadlines: list[tuple[datetime, int, OrderKey]] = []  # a heap; orders that are gone stay in it
        self._at_once: dict[tuple[str, Lane], set[OrderKey]] = {}  # IOC and FOK orders
        self.events: list[OrderEvent] = []
        for order in sorted(orders.all_open(), key=lambda o: (o.ordered_at, o.order_no)):
            self.work(order, resting=True)

    @property
    def idle(self) -> bool:
        """No order works anywhere."""
        return not any(len(book) for book in self._books.values())

    def work(self, order: ExOrder, *, resting: bool = False) -> None:
        """Put an order into its book; at the next `play` it first meets the sizes displayed now."""
        place, key = (order.symbol, lane_of(order)), key_of(order)
        call = Call.OPEN if order.order_type in ON_OPEN else Call.CLOSE if order.order_type in ON_CLOSE else None
        if call is Call.OPEN and self._hours.always:
            call = Call.CLOSE  # one auction serves both where nothing opens
        book = self._books.setdefault(place, Book())
        if not len(book):
            book.met_at = order.ordered_at
        quote = self._tape.quote(order.symbol)
        if book.shown_at != quote.at:
            self._show(quote, book)
        self._last[order.symbol] = quote
        fok = order.time_in_force is TimeInForce.FOK
        book.add(
            WorkingOrder(
                key, order.side, order.price, order.leaves, all_or_none=fok, auction=call or "", resting=resting
            ),
            order.ordered_at,
        )
        deadline = self._hours.deadline(self._listing(order.symbol), order)
        heappush(self._deadlines, (deadline.at, order.order_no, key))
        if order.time_in_force is not TimeInForce.DAY:
            self._at_once.setdefault(place, set()).add(key)

    def leave(self, order: ExOrder, quantity: int, when_empty: ExStatus) -> None:
        """Shares were taken out of `order`; the last ones decide its status."""
        self._books[order.symbol, lane_of(order)].reduce(key_of(order), quantity)
        if not order.leaves:
            order.status = when_empty
        self._orders.changed(order)

    def expected(self, symbol: str) -> tuple[Decimal, int] | None:
        """What the running call auction would trade at now; None outside of auctions."""
        now, listing = self._clock.market_now(), self._listing(symbol)
        stage = self._hours.main_stage(listing, now)
        if stage is None or not (self._tape.calling(symbol) or stage.call or self._hours.call_is_near(now)):
            return None
        quote = self._tape.quote(symbol)
        ours = [book.crossing(quote.price) for (one, _), book in self._books.items() if one == symbol]
        shown = min(quote.bid_quantity, quote.ask_quantity)
        return quote.price, shown + sum(max(each.values()) for each in ours)

    def play(self, trades: list[Trade]) -> None:
        """Let new orders meet the sizes they saw, then the tape's trades meet all; end what is over."""
        for place, book in self._books.items():
            if book.fresh:
                self._sweep_new(place, book)
        for trade in trades:
            self.expire(trade.at)
            for lane in Lane:
                met = self._books.get((trade.symbol, lane))
                if met is not None and len(met):
                    self._meet(trade, lane, met)
            if trade.symbol in self._last:
                self._last[trade.symbol] = trade
        self.expire(self._clock.market_now())

    def _sweep_new(self, place: tuple[str, Lane], book: Book) -> None:
        symbol, lane = place
        at = book.added_at
        stage = self._hours.stage(self._listing(symbol), lane, at)
        if stage is not None and stage.matches and not self._tape.resting(symbol, at):
            self._fill(book.sweep(), at)
            self._drop_unfilled(place, at)

    def _meet(self, trade: Trade, lane: Lane, book: Book) -> None:
        listing = self._listing(trade.symbol)
        stage = self._hours.stage(listing, lane, trade.at)
        if stage is None or not stage.matches:
            return
        opened = self._hours.opened(listing, lane, book.met_at, trade.at)
        if opened or self._tape.called(trade.symbol, book.met_at, trade.at):
            self._fill(book.call(trade.price, trade.quantity, Call.OPEN if opened else ""), trade.at)
        if opened:
            self._end_unopened(trade.symbol, lane, trade.at)
        book.met_at = trade.at
        self._fill(book.trade(trade.price, trade.quantity), trade.at)
        self._show(trade, book)
        self._fill(book.sweep(), trade.at)
        self._drop_unfilled((trade.symbol, lane), trade.at)

    def _end_unopened(self, symbol: str, lane: Lane, at: datetime) -> None:
        """What the opening auction left of on-open orders dies with it."""
        for order in self._orders.all_open():
            if order.symbol == symbol and lane_of(order) is lane and order.order_type in ON_OPEN:
                self._end(order, EventType.EXPIRE, ExStatus.EXPIRED, EventKind.EXPIRED, "AUCTION", at)

    def _show(self, trade: Trade, book: Book) -> None:
        snapshot = self._tape.book(trade)
        book.show(snapshot.bids, snapshot.asks, trade.at)

    def _fill(self, matches: list[Match], at: datetime) -> None:
        for match in matches:
            order = self._orders.get(match.key)
            if order is None:
                raise KeyError(f"the book matched an unknown order {match.key}")
            amount = match.price * match.quantity
            fee = self._portfolio.commission(order, order.filled_amount, amount)
            tax = self._portfolio.tax(order, match.quantity, match.price)
            order.filled += match.quantity
            order.filled_amount += amount
            if order.filled + order.canceled + order.moved == order.quantity:
                order.status = ExStatus.FILLED
            self._orders.changed(order)
            execution = self._orders.execute(order, match.quantity, match.price, at, fee, tax)
            legs = trade_legs(order.account, order, match.quantity, match.price)
            self.write(EventType.FILL, order, quantity=match.quantity, price=match.price, legs=legs, market_at=at)
            for code, cost in ((CashCode.FEE, fee), (CashCode.TAX, tax)):
                if cost:
                    self._charge(order, code, cost, at)
            self.tell(EventKind.FILLED, order, execution=execution)

    def _charge(self, order: ExOrder, code: CashCode, amount: Decimal, at: datetime) -> None:
        event = self._ledger.append(
            EventType.CASH, at=self._clock.wall_now(), market_at=at, account=order.account, order_no=order.order_no,
            symbol=order.market.currency, price=-amount, code=code, legs=cost_legs(order.account, order, code, amount),
        )  # fmt: skip
        self._portfolio.follow(event)

    def _drop_unfilled(self, place: tuple[str, Lane], at: datetime) -> None:
        """IOC and FOK orders never rest."""
        for key in self._at_once.pop(place, ()):
            order = self._orders.get(key)
            if order is not None and order.leaves:
                self._end(order, EventType.CANCEL, ExStatus.CANCELED, EventKind.CANCELED, order.time_in_force.value, at)

    # -- the end of an order's time

    def expire(self, until: datetime) -> None:
        """End orders whose time is over by `until`; on-close orders and KRX's last ones after a closing auction."""
        while self._deadlines and self._deadlines[0][0] <= until:
            at = self._deadlines[0][0]
            keys: list[OrderKey] = []
            while self._deadlines and self._deadlines[0][0] == at:
                keys.append(heappop(self._deadlines)[2])
            over = [order for key in keys if (order := self._orders.get(key)) is not None and order.leaves]
            self._close(over, at)
            for order in over:
                if order.leaves:
                    code = "AUCTION" if order.order_type in ON_OPEN | ON_CLOSE else "SESSION"
                    self._end(order, EventType.EXPIRE, ExStatus.EXPIRED, EventKind.EXPIRED, code, at)

    def _close(self, over: list[ExOrder], at: datetime) -> None:
        """Let the closing auction of each book match those that wait for it."""
        waiting: dict[tuple[str, Lane], set[OrderKey]] = {}
        for order in over:
            if self._hours.deadline(self._listing(order.symbol), order).call:
                waiting.setdefault((order.symbol, lane_of(order)), set()).add(key_of(order))
        for (symbol, lane), keys in waiting.items():
            if not self._tape.resting(symbol, at):
                last = self._last[symbol]
                self._fill(self._books[symbol, lane].call(last.price, last.quantity, Call.CLOSE, frozenset(keys)), at)

    def _end(self, order: ExOrder, kind: EventType, status: ExStatus, told: EventKind, code: str, at: datetime) -> None:
        left = order.leaves
        self._books[order.symbol, lane_of(order)].reduce(key_of(order), left)
        if kind is EventType.CANCEL:
            order.canceled += left
        order.status = status
        self._orders.changed(order)
        self.write(kind, order, quantity=left, code=code, market_at=at)
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
        market_at: datetime | None = None,
    ) -> None:
        event = self._ledger.append(
            kind, at=self._clock.wall_now(), market_at=market_at or order.ordered_at, account=order.account,
            order=order, quantity=quantity, price=price, cum_quantity=filled, code=code, legs=legs,
        )  # fmt: skip
        if kind is EventType.FILL:
            self._portfolio.follow(event)

    def close_all(self, code: str, symbol: str | None = None) -> None:
        """Every open order (of one symbol) expires: the tape is taken away, or its shares become others."""
        for order in self._orders.all_open():
            if symbol is None or order.symbol == symbol:
                now = self._clock.market_now()
                self._end(order, EventType.EXPIRE, ExStatus.EXPIRED, EventKind.EXPIRED, code, now)
        if symbol is None:
            self._books, self._last, self._deadlines, self._at_once = {}, {}, [], {}

    def tell(
        self, kind: EventKind, order: ExOrder, *, execution: Execution | None = None, original: ExOrder | None = None
    ) -> None:
        account = self._account(order.account)
        at = execution.at if execution is not None else self._clock.market_now()
        self.events.append(OrderEvent(kind, account, order, at, execution, original))

    def _listing(self, symbol: str) -> Listing:
        return self._tape.listings.get(symbol) or infer_listing(symbol, Decimal(1))
