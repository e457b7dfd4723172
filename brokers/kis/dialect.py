"""What differs between KIS's two markets: which transaction asks what, and how its rows read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from brokers.kis.codec import Row
from brokers.kis.tr import Tr
from shared.domain.account import AccountNumber, Market
from shared.domain.instrument import Venue
from shared.domain.market import Bar, OrderBook, Quote, Timeframe
from shared.domain.order import BrokerOrder, Cash, OrderType, Position, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class Ask:
    """A transaction and its fields: the query of a GET, the body of a POST.

    `output` names the rows of a list; `cursor` False: a list whose further pages are asked without one.
    """

    tr: Tr
    fields: dict[str, str] = field(default_factory=dict)
    output: str = "output"
    cursor: bool = True


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


class Dialect(Protocol):
    """One market in KIS's words. Pure: decides fields, reads rows, does no I/O."""

    market: Market
    zone: ZoneInfo
    page_size_suffix: str  # "200" or "100": CTX_AREA_FK200, ctx_area_nk200 …
    stream_tr: str | None  # None: no ticks on this stream
    notice_tr: str

    def __init__(self, account: AccountNumber, mock: bool) -> None: ...

    def order(self, ticket: Ticket) -> Ask: ...
    def change(self, original: BrokerOrder, quantity: int, price: Decimal | None, org_no: str) -> Ask:
        """Amend, or cancel when `price` is None."""
        ...

    def open_orders(self, today: date) -> Ask: ...
    def executions(self, since: date, until: date) -> Ask: ...
    def read_order(self, row: Row, market_now: datetime) -> BrokerOrder: ...

    def balance(self) -> Ask: ...
    def read_positions(self, pages: list[Row]) -> list[Position]: ...
    def orderable(self) -> Ask | None:
        """Where the cash that may be ordered with is asked; None: the balance has it."""
        ...

    def read_cash(self, pages: list[Row], orderable: Row | None, market_now: datetime) -> Cash: ...
    def power(self, symbol: str, price: Decimal, venue: Venue) -> Ask: ...
    def read_power(self, body: Row) -> tuple[Decimal, int]: ...

    def quote(self, symbol: str, venue: Venue) -> Ask: ...
    def read_quote(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        """None: the broker does not know the symbol."""
        ...

    def book(self, symbol: str, venue: Venue) -> Ask: ...
    def read_book(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> OrderBook: ...

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        """Which bars the broker serves for a wanted timeframe."""
        ...

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask: ...
    def read_bars(self, symbol: str, timeframe: Timeframe, body: Row, market_now: datetime) -> list[Bar]: ...
    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        """Where the next page of bars ends; None: there are no earlier ones to be had."""
        ...

    def stream_key(self, symbol: str, venue: Venue) -> str: ...
