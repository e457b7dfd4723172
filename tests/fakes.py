"""Fakes for unit tests: a clock that a test moves, and a broker whose book a test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from brokers.contract import BrokerEvent, PeriodProfit, RateBudget
from brokers.last_look import why_not
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import BrokerUnavailable, NotSent, NotSupported
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderAck, OrderSession, OrderType, Position, Side, TimeInForce

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 10:00 in New York, a Friday
KEY = AccountKey(1, BrokerName.KIS, Market.US, Environment.SIM, 1)


class FakeClock:
    """Wall and market time stand still until `pass_s`."""

    def __init__(self, now: datetime = START) -> None:
        self.now, self.mono = now, 1000.0

    def wall_now(self) -> datetime:
        return self.now

    def market_now(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.mono

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.mono += seconds


class FakeBroker:
    """A broker whose order list the test edits. `on_place` decides what an order's answer is, after it was booked."""

    key = KEY
    executions_show_open = False

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.book: dict[str, BrokerOrder] = {}  # broker number → the row its lists show
        self.sent: list[str] = []  # one word per socket write
        self.on_place: Callable[[BrokerOrder], None] = lambda row: None  # may raise
        self.on_change: Callable[[BrokerOrder], None] = lambda row: None  # cancel and amend; may raise
        self.on_way: Callable[[], None] = lambda: None  # between the sender's gate and the socket write
        self.books_orders = True  # False: the order never arrives
        self.down = False  # reads fail
        self.hidden: set[str] = set()  # booked, and not yet in any list
        self.positions: list[Position] = []  # at the start; the book's fills come on top
        self.cash = Decimal(100_000)  # at the start; open and filled orders come off
        self._number = 100

    def _next(self) -> str:
        self._number += 1
        return str(self._number)

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def revoke_token(self) -> None: ...

    async def place_order(
        self, symbol: str, side: Side, quantity: int, price: Decimal | None, *, order_type: OrderType = OrderType.LIMIT,
        venue: Venue | None = None, time_in_force: TimeInForce = TimeInForce.DAY,
        session: OrderSession = OrderSession.REGULAR, correlation_id: str | None = None,
    ) -> OrderAck:  # fmt: skip
        self._write("place")
        row = self.row(symbol, side, quantity, price, number=self._next(), order_type=order_type, session=session)
        if self.books_orders:
            self.book[row.broker_order_id] = row
        self.on_place(row)
        return OrderAck(row.broker_order_id, self.clock.wall_now())

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        self._write("amend")
        old = self.book[original.broker_order_id]
        row = self.row(old.symbol, old.side, quantity, price, number=self._next(), orig=old.broker_order_id)
        self.book[old.broker_order_id] = replace(old, leaves_quantity=0)
        self.book[row.broker_order_id] = row
        self.on_change(row)
        return OrderAck(row.broker_order_id, self.clock.wall_now())

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        self._write("cancel")
        row = self.book[original.broker_order_id]
        self.on_change(row)
        self.book[row.broker_order_id] = replace(row, canceled=True, leaves_quantity=0)
        return OrderAck(self._next(), self.clock.wall_now())

    def _write(self, word: str) -> None:
        """The socket write, with the sender's last look before it."""
        self.on_way()
        why = why_not()
        if why is not None:
            raise NotSent("SIM", "last_look", why)
        self.sent.append(word)

    async def get_open_orders(self) -> list[BrokerOrder]:
        self._read()
        return [row for row in self._listed() if row.leaves_quantity > 0]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        self._read()
        return self._listed()

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        self._read()
        return [row for row in self.book.values() if row.session is OrderSession.RESERVED]

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        self._read()
        found = {one.symbol: one for one in self.positions}
        for row in self.book.values():
            base = found.get(row.symbol)
            shares = row.filled_quantity if row.side is Side.BUY else -row.filled_quantity
            quantity = (base.quantity if base else 0) + shares
            offered = row.leaves_quantity if row.side is Side.SELL else 0
            sellable = (base.sellable or 0 if base else 0) + shares - offered
            price = row.average_fill_price or row.price or Decimal(100)
            found[row.symbol] = Position(row.symbol, quantity, sellable, price, Currency.USD)
        return [one for one in found.values() if one.quantity]

    async def get_cash(self) -> Cash:
        self._read()
        left = self.cash
        for row in self.book.values():
            paid = (row.average_fill_price or Decimal(0)) * row.filled_quantity
            held_back = (row.price or Decimal(100)) * row.leaves_quantity
            left += paid if row.side is Side.SELL else -paid - held_back
        return Cash(Currency.USD, left, left, self.clock.wall_now())

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        return self.cash, int(self.cash / price)

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        return PeriodProfit(Currency.USD, Decimal(0), None, None, ())

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        self._read()
        now = self.clock.wall_now()
        return Quote(symbol, Decimal(100), Decimal("99.99"), Decimal("100.01"), None, None, None, None, now, now)

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        return [await self.get_quote(symbol) for symbol in symbols]

    async def get_detail(self, symbol: str) -> Detail:
        raise NotSupported("FAKE", "-", "종목 상세가 없습니다 / no price details")

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        now = self.clock.wall_now()
        return OrderBook(symbol, (), (), now, now)

    async def get_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        count: int,
        *,
        until: datetime | None = None,
        venue: Venue | None = None,
    ) -> list[Bar]:
        return []

    async def get_trades(self, symbol: str, count: int, *, venue: Venue | None = None) -> list[Tick]:
        return []

    async def get_instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol, Market.US, Venue.NASDAQ, Currency.USD)

    async def list_instruments(self) -> list[Instrument]:
        return []

    async def is_open_day(self, day: date) -> bool | None:
        return None

    async def subscribe(
        self, symbol: str, *, book: bool = False, venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None: ...  # fmt: skip
    async def unsubscribe(
        self, symbol: str, *, book: bool = False, venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None: ...  # fmt: skip

    async def renew_stream(self, why: str) -> None: ...

    async def events(self) -> AsyncIterator[BrokerEvent]:
        return
        yield

    def rate_budget(self) -> RateBudget:
        return RateBudget(20.0, 0, 0, 0)

    def row(
        self, symbol: str, side: Side, quantity: int, price: Decimal | None, *, number: str = "", orig: str | None = None,
        order_type: OrderType = OrderType.LIMIT, session: OrderSession = OrderSession.REGULAR,
    ) -> BrokerOrder:  # fmt: skip
        """A fresh open order as the broker lists it."""
        return BrokerOrder(
            broker_order_id=number or self._next(), symbol=symbol, side=side, quantity=quantity, price=price,
            filled_quantity=0, average_fill_price=None, leaves_quantity=quantity, canceled=False, rejected=False,
            ordered_at=self.clock.market_now(), orig_order_id=orig, order_type=order_type,
            session=session,
        )  # fmt: skip

    def fill(self, number: str, quantity: int, price: str) -> None:
        """Fill `quantity` more shares of an order at `price`, in the list only."""
        row = self.book[number]
        before = (row.average_fill_price or Decimal(0)) * row.filled_quantity
        filled = row.filled_quantity + quantity
        average = (before + Decimal(price) * quantity) / filled
        self.book[number] = replace(
            row, filled_quantity=filled, average_fill_price=average, leaves_quantity=max(row.quantity - filled, 0)
        )

    def _listed(self) -> list[BrokerOrder]:
        listed = [row for row in self.book.values() if row.broker_order_id not in self.hidden]
        return [row for row in listed if row.session is not OrderSession.RESERVED]

    def _read(self) -> None:
        if self.down:
            raise BrokerUnavailable("FAKE", "-", "down")
