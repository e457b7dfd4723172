"""KIS behind the broker contract: one account, US or Korean shares, in any environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal

from brokers.contract import Broker, BrokerEvent, CallLog, Credentials, PeriodProfit, RateBudget, TokenStore
from brokers.http import Door, Mask
from brokers.kis import tr
from brokers.kis.auth import Auth
from brokers.kis.bars import merged
from brokers.kis.codec import decode_ack, judge
from brokers.kis.codec_krx import KrxDialect
from brokers.kis.codec_us import UsDialect, collared
from brokers.kis.dialect import Ask, Dialect, Ticket
from brokers.kis.lookup import Lookup, not_found
from brokers.kis.rest import Rest, nothing_sent_yet
from brokers.kis.stream import KisStream
from brokers.pacing import Pacer, Priority
from shared.clock import Clock
from shared.domain.account import AccountKey, AccountNumber, Market, Wire
from shared.domain.errors import (
    BadPrice,
    BrokerUnavailable,
    ConfigError,
    NotFound,
    NotSupported,
    OrderRejected,
    OutcomeUnknown,
    WireError,
)
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Timeframe
from shared.domain.order import (
    PRICED,
    BrokerOrder,
    Cash,
    OrderAck,
    OrderSession,
    OrderType,
    Position,
    Side,
    TimeInForce,
)
from shared.domain.venue_rules import on_tick

DIALECTS: dict[Market, type[UsDialect] | type[KrxDialect]] = {Market.US: UsDialect, Market.KRX: KrxDialect}
COLLAR_PCT = Decimal(5)  # how far from the last price a US "market" order may fill
MAX_BAR_PAGES = 40


def open(
    key: AccountKey,
    credentials: Credentials,
    *,
    clock: Clock,
    token_store: TokenStore,
    call_log: CallLog | None,
    exchange_port_offset: int = 0,
    wire: Wire = Wire.LIVE,
    host_override: Mapping[str, str] | None = None,
) -> Broker:
    """Build the adapter of one KIS account; nothing is sent before start().

    Raises:
        ConfigError: the account number cannot be one.
        DoorClosed: an override points outside the environment's host list.
    """
    try:
        account = AccountNumber.parse(credentials.account_no)
    except ValueError as e:
        raise ConfigError("the account number cannot be used", str(e), "enter it as 12345678-01", "account_no") from e
    site = tr.site(key.environment, wire, exchange_port_offset, host_override)
    pacer = Pacer(tr.KIS, site.pace, clock)
    secrets = (credentials.app_key, credentials.app_secret, account.cano, credentials.hts_id)
    door = Door(tr.KIS, site.hosts, pacer, clock, judge, Mask(tr.MASKED_FIELDS, secrets), call_log)
    auth = Auth(door, site, credentials, clock, token_store)
    return KisAdapter(key, account, credentials.hts_id, site, clock, pacer, door, auth)


class KisAdapter:
    """See brokers/contract.py: every promise is there."""

    def __init__(
        self,
        key: AccountKey,
        account: AccountNumber,
        hts_id: str,
        site: tr.Site,
        clock: Clock,
        pacer: Pacer,
        door: Door,
        auth: Auth,
    ) -> None:
        self.key = key
        self._clock, self._pacer, self._door, self._auth = clock, pacer, door, auth
        self._dialect: Dialect = DIALECTS[key.market](account, site.mock)
        self._rest = Rest(door, auth, site, self._dialect.page_size_suffix)
        self._lookup = Lookup(self._rest, key.market, site.mock, clock)
        self._org_nos: dict[str, str] = {}  # broker_order_id -> branch, which a Korean cancel must name
        self._events: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        notice = (self._dialect.notice_tr, hts_id) if hts_id else None
        number = account.cano + account.product
        stream_tr = self._dialect.stream_tr
        self._stream = KisStream(site, clock, auth, stream_tr, notice, number, self._events.put_nowait)
        self._stream.on_tick(self._events.put_nowait)

    async def start(self) -> None:
        """A token, one answer about this very account (KIS refuses a foreign key or account there), then the stream."""
        await self._auth.start()
        await self.get_cash()
        self._stream.connect()

    async def close(self) -> None:
        await self._stream.close()
        await self._auth.close()
        await self._door.close()

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
        """A US MARKET order does not exist at KIS: it leaves as a limit 5 % beyond the last price, asked just before."""
        self._check_quantity(quantity)
        if (price is None) == (order_type in PRICED):
            raise BadPrice(tr.KIS, "-", f"a {order_type} order with price {price}", "give a price to limit orders only")
        # A sale shrinks a position in a cash account: it goes with the exits.
        priority = Priority.EXIT if side is Side.SELL else Priority.ENTRY
        async with nothing_sent_yet():
            instrument = await self._lookup.instrument(symbol)
            venue = venue or instrument.venue
            if order_type is OrderType.MARKET and self.key.market is Market.US:
                last = (await self._quote(symbol, venue, priority)).last
                price, order_type = collared(last, side, COLLAR_PCT, self._today()), OrderType.LIMIT
            self._check_tick(instrument, price)
        ticket = Ticket(symbol, side, quantity, price, order_type, venue, time_in_force)
        return await self._send(self._dialect.order(ticket), priority, correlation_id)

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        self._check_quantity(quantity)
        async with nothing_sent_yet():
            self._check_tick(await self._lookup.instrument(original.symbol), price)
            ask = self._dialect.change(original, quantity, price, await self._org_no(original, ""))
        priority = Priority.EXIT if original.side is Side.SELL else Priority.ENTRY
        return await self._send(ask, priority, correlation_id)

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        self._check_quantity(quantity)
        async with nothing_sent_yet():
            ask = self._dialect.change(original, quantity, None, await self._org_no(original, org_no))
        return await self._send(ask, Priority.EXIT, correlation_id)

    def _check_quantity(self, quantity: int) -> None:
        if quantity <= 0:  # KIS reads 0 as "all of it"
            raise OrderRejected(tr.KIS, "-", f"{quantity} shares", "ask for one share or more")

    def _check_tick(self, instrument: Instrument, price: Decimal | None) -> None:
        """Refuse a price off the tick here: KIS's code for it is documented for 모의투자 only, else it would be unknown."""
        if price is None:
            return
        on, kind, board = self._today(), instrument.type, instrument.board or "KOSPI"
        if price <= 0 or not on_tick(self.key.market, price, on, instrument_type=kind, board=board):
            raise BadPrice(
                tr.KIS, "-", f"{price} is not on the tick of {instrument.symbol}", "round the price to the tick"
            )

    async def _send(self, ask: Ask, priority: Priority, correlation_id: str | None) -> OrderAck:
        body = await self._rest.order(ask, priority, correlation_id)
        try:
            ack = decode_ack(body, self._clock.market_now())
        except WireError as e:
            raise OutcomeUnknown(tr.KIS, e.broker_code, f"the answer names no order: {e.message}") from e
        self._org_nos[ack.broker_order_id] = ack.org_no
        return ack

    async def _org_no(self, original: BrokerOrder, given: str) -> str:
        """The branch of an order: from its answer, else from the list of open orders (after a restart)."""
        if given or self.key.market is not Market.KRX:
            return given
        if original.broker_order_id not in self._org_nos:
            await self.get_open_orders()
        return self._org_nos.get(original.broker_order_id, "")

    async def get_open_orders(self) -> list[BrokerOrder]:
        orders = await self._orders(self._dialect.open_orders(self._today()))
        return [order for order in orders if order.leaves_quantity > 0 and not order.is_cancel]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        return await self._orders(self._dialect.executions(since, until))

    async def _orders(self, ask: Ask) -> list[BrokerOrder]:
        """Read a list of orders; one that came on two pages counts once, as it was last seen."""
        now = self._clock.market_now()
        found: dict[tuple[str, str], BrokerOrder] = {}  # order date and number: a number is unique per day only
        for row in await self._rest.list(ask):
            order = self._dialect.read_order(row, now)
            found[str(row.get("ord_dt") or ""), order.broker_order_id] = order
            self._org_nos[order.broker_order_id] = str(row.get("ord_gno_brno") or "").strip()
        return list(found.values())

    def _today(self) -> date:
        return self._clock.market_now().astimezone(self._dialect.zone).date()

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        raise NotSupported(tr.KIS, "-", "예약주문 조회가 없습니다 / no list of reserved orders")

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        return self._dialect.read_positions(await self._rest.pages(self._dialect.balance()))

    async def get_cash(self) -> Cash:
        pages = await self._rest.pages(self._dialect.balance())
        ask = self._dialect.orderable()
        orderable = await self._rest.get(ask) if ask else None
        return self._dialect.read_cash(pages, orderable, self._clock.market_now())

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        where = venue or (await self._lookup.instrument(symbol)).venue
        return self._dialect.read_power(await self._rest.get(self._dialect.power(symbol, price, where)))

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        raise NotSupported(tr.KIS, "-", "기간손익이 없습니다 / no period profit")

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        return await self._quote(symbol, (await self._lookup.instrument(symbol)).venue)

    async def _quote(self, symbol: str, venue: Venue, priority: Priority = Priority.READ) -> Quote:
        body = await self._rest.get(self._dialect.quote(symbol, venue), priority)
        quote = self._dialect.read_quote(symbol, body, self._clock.market_now(), self._clock.wall_now())
        if quote is None:
            raise not_found(symbol, self.key.market)
        return quote

    async def get_detail(self, symbol: str) -> Detail:
        raise NotSupported(tr.KIS, "-", "종목 상세가 없습니다 / no price details")

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        """One call each."""
        found = []
        for symbol in symbols:
            with suppress(BrokerUnavailable, NotFound):
                found.append(await self.get_quote(symbol))
        return found

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        venue = (await self._lookup.instrument(symbol)).venue
        body = await self._rest.get(self._dialect.book(symbol, venue))
        return self._dialect.read_book(symbol, body, self._clock.market_now(), self._clock.wall_now())

    async def get_bars(
        self, symbol: str, timeframe: Timeframe, count: int, *, until: datetime | None = None
    ) -> list[Bar]:
        venue = (await self._lookup.instrument(symbol)).venue
        source = self._dialect.bar_source(timeframe)
        wanted = count * (timeframe.seconds // source.seconds)
        now = self._clock.market_now()
        found: dict[datetime, Bar] = {}
        before: datetime | None = now
        for _ in range(MAX_BAR_PAGES):
            if before is None or len(found) >= wanted:
                break
            body = await self._rest.get(self._dialect.bars(symbol, venue, source, before, now))
            page = self._dialect.read_bars(symbol, source, body, now)
            new = [bar for bar in page if bar.start not in found]
            found |= {bar.start: bar for bar in new}
            before = self._dialect.earlier(source, before, new, now)
        bars = [found[start] for start in sorted(found)]
        return merged(bars, timeframe, now, self._dialect.zone)[-count:]

    async def get_instrument(self, symbol: str) -> Instrument:
        return await self._lookup.instrument(symbol)

    async def list_instruments(self) -> list[Instrument]:
        raise NotSupported(tr.KIS, "-", "종목 목록이 없습니다 / no list of instruments")

    async def is_open_day(self, day: date) -> bool | None:
        return None

    async def subscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        if self._dialect.stream_tr is None:
            raise NotSupported(
                tr.KIS, "-", "모의투자에는 미국 실시간 시세가 없습니다 / no US ticks in mock trading: poll quotes"
            )
        await self._stream.subscribe(await self._stream_key(symbol))

    async def unsubscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        await self._stream.unsubscribe(await self._stream_key(symbol))

    async def _stream_key(self, symbol: str) -> str:
        return self._dialect.stream_key(symbol, (await self._lookup.instrument(symbol)).venue)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while True:
            yield await self._events.get()

    def rate_budget(self) -> RateBudget:
        return self._pacer.budget()
