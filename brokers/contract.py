"""Broker: what every adapter promises the bot. This page is the manual; adapters add nothing to it.

All times are aware. Prices are Decimal in the instrument's currency. Lists are complete (every page read) or the call
raises: a partial answer is never returned. Nothing here retries an order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from shared.domain.account import AccountKey
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import (
    BrokerOrder,
    Cash,
    OrderAck,
    OrderNotice,
    OrderSession,
    OrderType,
    Position,
    Side,
    TimeInForce,
)


@dataclass(frozen=True, slots=True)
class StreamUp:
    """The stream is connected and every wanted symbol is registered; anything may have been missed before."""

    at: datetime


@dataclass(frozen=True, slots=True)
class StreamDown:
    """The stream is gone (closed, refused or silent); the adapter reconnects by itself."""

    at: datetime
    reason: str
    taken: bool = False  # another session of the same app key holds the broker's only place


@dataclass(frozen=True, slots=True)
class NoticeUnreadable:
    """An order notice could not be read: reconcile by REST."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class MarketPhase:
    """The market changed its phase, in words for the operator. Told at the change only: no one may wait for it."""

    at: datetime
    text: str  # Korean / English
    brake: bool  # circuit breaker or sidecar


BrokerEvent = Tick | OrderBook | OrderNotice | StreamUp | StreamDown | NoticeUnreadable | MarketPhase


@dataclass(frozen=True, slots=True)
class Credentials:
    """Opened secrets of one account, in the memory of its bot only. `repr` shows nothing."""

    app_key: str
    app_secret: str
    account_no: str  # KIS: 8+2 digits "12345678-01"; LS: 11 digits (informational, the key selects the account)
    hts_id: str = ""  # KIS: needed to subscribe to fill notices

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `generation` grows by one with each issue; the bot stores it sealed."""

    value: str
    expires_at: datetime  # aware, wall time
    generation: int

    def __repr__(self) -> str:
        return f"Token(generation={self.generation}, expires_at={self.expires_at.isoformat()})"


class TokenStore(Protocol):
    """Where a token survives restarts. Implemented by the bot (sealed in its store), handed to the adapter."""

    async def load(self) -> Token | None: ...
    async def save(self, token: Token) -> None: ...


@dataclass(frozen=True, slots=True)
class RateBudget:
    """What is left of the app key's call budget, for the operator's screen."""

    limit_per_s: float
    used_last_s: int
    waiting: int
    limited_total: int  # times the broker answered "too many"
    quotes_a_call: int = 1  # symbols that one call of get_quotes covers


@dataclass(frozen=True, slots=True)
class ProfitRow:
    """What was realised in one symbol on one trade date, in the account's currency; `bought` and `sold` before costs."""

    trade_date: date
    symbol: str
    quantity: int  # shares sold
    bought: Decimal | None  # what they had cost; None: the broker does not tell
    sold: Decimal  # what they brought
    realized: Decimal | None  # the broker's own figure, after the costs it deducts; None: it has none


@dataclass(frozen=True, slots=True)
class PeriodProfit:
    """Realised profit of a period in the broker's own arithmetic (기간손익)."""

    currency: Currency
    realized: Decimal | None  # None: the broker does not tell it for this period
    fees: Decimal | None  # None: the broker does not tell them apart
    taxes: Decimal | None  # None with fees told: those are in the fees
    rows: tuple[ProfitRow, ...]
    of_sales: bool = False  # fees and taxes are those of the sales alone; else of every trade of the period


CallLog = Callable[["CallRecord"], None]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One REST call, already masked: for the structured log."""

    at: datetime
    broker: str
    tr: str
    latency_ms: float
    status: int | None
    code: str
    outcome: str  # "ok" | error class name
    correlation_id: str | None = None
    request: str = ""
    response: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # of the request; secret values as ***
    rate_used: int = 0  # calls of the budget's last window, this one included
    rate_limit: float = 0.0


class Broker(Protocol):
    """One account at one broker in one environment."""

    key: AccountKey

    @property
    def executions_show_open(self) -> bool:
        """Whether get_executions also tells what is left of the present day's orders, by the same call: then asking for
        the open ones too asks the same twice."""
        ...

    async def start(self) -> None:
        """Ensure a token, prove the environment is the account's own, and open the stream.

        Raises:
            AuthRefused: key or environment is wrong or in doubt; a person must act.
            BrokerUnavailable: try again later.
            DoorClosed: a host is not on the environment's list.
        """
        ...

    async def close(self) -> None:
        """Close stream and connections; safe to call twice."""
        ...

    async def revoke_token(self) -> None:
        """Give the access token back, for a key that is taken out of use; the next start() asks for a new one."""
        ...

    async def place_order(
        self,
        symbol: str,
        side: Side,
        quantity: int,
        price: Decimal | None,
        *,
        order_type: OrderType = OrderType.LIMIT,
        venue: Venue | None = None,
        time_in_force: TimeInForce = TimeInForce.DAY,
        session: OrderSession = OrderSession.REGULAR,
        correlation_id: str | None = None,
    ) -> OrderAck:
        """Send one order by exactly one socket write, at which the sender's `last_look` is asked (brokers/last_look.py).

        What the broker does not offer for this market, venue, session or environment raises NotSupported, whose text
        says so in Korean and English.

        Raises:
            Refused (and subclasses): proven not placed (includes NotSupported, RateLimited, AuthExpired).
            OutcomeUnknown: anything else; the order may be live.
        """
        ...

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        """Change price (and quantity where the market allows). The ack carries the new broker_order_id. Errors as place_order.

        Amend and cancel go where the order went: `original.venue`, `original.session`.
        """
        ...

    async def cancel_order(
        self,
        original: BrokerOrder,
        quantity: int,
        *,
        org_no: str = "",
        correlation_id: str | None = None,
    ) -> OrderAck:
        """Ask to cancel `quantity` shares of an open order. An ack is a request received, not a cancel done. Errors as place_order."""
        ...

    async def get_open_orders(self) -> list[BrokerOrder]:
        """Every open order of the account, those of other channels included."""
        ...

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        """Every order of the exchange-local trade dates `since`..`until` with its cumulative fill, any channel.

        How the broker dates them is the adapter's matter: orders of a neighbouring day may come along. After the close
        the next trade date counts, which no list knows yet: a `since` that is still to come means the present day.
        """
        ...

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        """Every reserved order (예약주문) received on the Korean dates `since`..`until`; `leaves_quantity` > 0 still waits.

        Raises:
            NotSupported: the broker keeps none, or does not list them in this environment.
        """
        ...

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        """Every holding by execution; an account without holdings is [].

        `settled` True asks what is settled (결제 기준) instead; NotSupported where the broker does not tell it apart.
        """
        ...

    async def get_cash(self) -> Cash:
        """Cash in the market's currency."""
        ...

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        """(orderable amount, orderable shares) for a buy of `symbol` at `price`, in the broker's own arithmetic."""
        ...

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        """Realised profit of the trade dates `since`..`until`, every row. NotSupported where the broker has none."""
        ...

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        """Price snapshot by REST. `venue` NXT or SOR (통합) and `session` DAY_MARKET where the broker tells them apart."""
        ...

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        """Price snapshots in as few calls as the broker allows, for polling; a symbol without a price is left out."""
        ...

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook: ...

    async def get_detail(self, symbol: str) -> Detail:
        """The price with what surrounds it: tick, lot, tradability, warnings. NotSupported where the broker has none."""
        ...

    async def get_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        count: int,
        *,
        until: datetime | None = None,
        venue: Venue | None = None,
    ) -> list[Bar]:
        """The last `count` bars that began at or before `until` (None: now), oldest first; `venue` as in get_quote.

        The forming one is included with closed=False. Fewer come back only where the broker has no earlier ones; a
        page that could not be had, or a history too long to read whole, raises.
        """
        ...

    async def get_trades(self, symbol: str, count: int, *, venue: Venue | None = None) -> list[Tick]:
        """The last trades of today, newest first: at most `count`, and no more than one answer holds (20 to 30).

        NotSupported where the environment has no such call.
        """
        ...

    async def get_instrument(self, symbol: str) -> Instrument:
        """Static facts. Raises NotFound when the broker does not know the symbol in this market."""
        ...

    async def list_instruments(self) -> list[Instrument]:
        """Every instrument of the market, as the broker lists them; NotSupported where it has no such call."""
        ...

    async def is_open_day(self, day: date) -> bool | None:
        """Whether the exchange trades on `day`, by the broker's own calendar; None: the broker does not tell.

        Asked at most once a day per answer: the broker wants it so.
        """
        ...

    async def subscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        """Want ticks of `symbol` (`book`: its order book instead); survives reconnects.

        `venue` and `session` choose the feed as in get_quote. NotSupported where the environment has no such stream
        (polling then), StreamFull where its registrations are used up.
        """
        ...

    async def unsubscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None: ...

    async def renew_stream(self, why: str) -> None:
        """Drop the stream and connect anew, within its storm limit: it is up and says nothing, though prices move."""
        ...

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Ticks, notices and stream state, in order of arrival. One consumer."""
        ...

    def rate_budget(self) -> RateBudget: ...
