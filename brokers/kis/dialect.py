"""What differs between KIS's two markets: which transaction asks what, and how its rows read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from brokers.contract import PeriodProfit
from brokers.kis.codec import Row
from brokers.kis.tr import KIS, Tr
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import NotSupported
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.order import BrokerOrder, Cash, OrderSession, OrderType, Position, Side, TimeInForce

ROUND_IT = "가격을 호가 단위에 맞추세요 / round the price to the tick"
Registration = tuple[str, str]  # a stream's TR id and tr_key
Place = tuple[str, Venue]  # a symbol and where it is listed


@dataclass(frozen=True, slots=True)
class Ask:
    """A transaction and its fields: the query of a GET, the body of a POST.

    `output` names the rows of a list; `cursor` False: a list whose further pages are asked without one. `suffix` is
    that of the paging keys (CTX_AREA_FK200 …) where it is not the market's own.
    """

    tr: Tr
    fields: dict[str, str] = field(default_factory=dict)
    output: str = "output"
    cursor: bool = True
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order ready to be written in KIS's words: venue and price are settled."""

    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    order_type: OrderType
    venue: Venue
    time_in_force: TimeInForce
    session: OrderSession = OrderSession.REGULAR


class Dialect(Protocol):
    """One market's orders and account in KIS's words. Pure: decides fields, reads rows, does no I/O."""

    market: Market
    zone: ZoneInfo
    page_size_suffix: str  # "200" or "100": CTX_AREA_FK200, ctx_area_nk200 …
    notice_tr: str

    def __init__(self, account: AccountNumber, mock: bool) -> None: ...

    def order(self, ticket: Ticket) -> Ask: ...
    def change(self, original: BrokerOrder, quantity: int, price: Decimal | None, org_no: str) -> Ask:
        """Amend, or cancel when `price` is None."""
        ...

    def open_orders(self, today: date) -> Ask: ...
    def executions(self, since: date, until: date, today: date) -> list[Ask]:
        """The lists that hold the orders of these days together; an order may be on two of them."""
        ...

    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder: ...
    def reserved_orders(self, since: date, until: date) -> Ask: ...
    def read_reserved(self, row: Row) -> BrokerOrder: ...

    def balance(self) -> Ask: ...
    def read_positions(self, pages: list[Row]) -> list[Position]: ...
    def settled(self) -> list[Ask]:
        """The lists that hold the settled positions together."""
        ...

    def read_settled(self, pages: list[Row]) -> list[Position]: ...
    def orderable(self) -> Ask | None:
        """Where the cash that may be ordered with is asked; None: the balance has it."""
        ...

    def read_cash(self, pages: list[Row], orderable: Row | None, market_now: datetime) -> Cash: ...
    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask: ...
    def read_power(self, body: Row) -> tuple[Decimal, int]: ...
    def profit(self, since: date, until: date) -> Ask: ...
    def read_profit(self, pages: list[Row]) -> PeriodProfit: ...


class Quotes(Protocol):
    """One market's prices, charts, calendar and stream keys in KIS's words. Pure as well.

    `venue` of a US share is where it is listed; of a Korean one, whose prices are asked (SOR: both together).
    """

    market: Market
    zone: ZoneInfo
    together: int  # symbols that one call of `quotes` covers; 1: there is no such call

    def __init__(self, mock: bool) -> None: ...

    def quotes(self, places: Sequence[Place]) -> Ask:
        """The prices of at most `together` symbols."""
        ...

    def read_quotes(
        self, places: Sequence[Place], body: Row, market_now: datetime, received_at: datetime
    ) -> list[Quote]:
        """What has a price, in no certain order."""
        ...

    def quote(self, symbol: str, venue: Venue, session: OrderSession) -> Ask: ...
    def read_quote(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        """None: the broker does not know the symbol."""
        ...

    def book(self, symbol: str, venue: Venue, session: OrderSession) -> Ask: ...
    def read_book(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> OrderBook: ...
    def detail(self, symbol: str, venue: Venue) -> Ask: ...
    def read_detail(self, symbol: str, body: Row) -> Detail | None: ...

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        """Which bars the broker serves for a wanted timeframe."""
        ...

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask: ...
    def read_bars(
        self, symbol: str, venue: Venue, timeframe: Timeframe, body: Row, market_now: datetime
    ) -> list[Bar]: ...
    def trades(self, symbol: str, venue: Venue) -> Ask: ...
    def read_trades(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> list[Tick]:
        """The day's last trades, newest first."""
        ...

    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        """Where the next page of bars ends; None: there are no earlier ones to be had."""
        ...

    def listed(self, venue: Venue, low: Decimal, high: Decimal) -> Ask:
        """The shares of an exchange whose price lies in `low`..`high`."""
        ...

    def read_listed(self, venue: Venue, body: Row) -> tuple[list[Instrument], int]:
        """A page of shares and how many there are in the whole range."""
        ...

    def open_days(self, day: date) -> Ask: ...
    def read_open_days(self, day: date, pages: list[Row]) -> dict[date, bool]: ...

    def feed(self, symbol: str, venue: Venue, book: bool, session: OrderSession) -> Registration:
        """What to register for the ticks or the book of a symbol; NotSupported where no such stream is."""
        ...


def not_offered(korean: str, english: str) -> NotSupported:
    return NotSupported(KIS, "-", f"{korean} / {english}")
