"""KIS behind the broker contract: one account, US or Korean shares, in any environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.contract import Broker, BrokerEvent, CallLog, Credentials, PeriodProfit, RateBudget, TokenStore
from brokers.http import Door, Mask
from brokers.kis import tr
from brokers.kis.auth import Auth
from brokers.kis.codec import decode_ack, judge, text
from brokers.kis.codec_krx import KrxDialect
from brokers.kis.codec_us import UsDialect, collared
from brokers.kis.dialect import Ask, Dialect, Place, Quotes, Registration, Ticket
from brokers.kis.history import History
from brokers.kis.lookup import Lookup, not_found
from brokers.kis.quotes_krx import KrxQuotes
from brokers.kis.quotes_us import UsQuotes
from brokers.kis.rest import Rest, nothing_sent_yet
from brokers.kis.stream import KisStream
from brokers.pacing import Pacer, Priority
from shared.clock import Clock
from shared.domain.account import AccountKey, AccountNumber, Environment, Market, Wire
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BadPrice,
    BrokerUnavailable,
    ConfigError,
    DoorClosed,
    NotFound,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    Refused,
    WireError,
)
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
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

DIALECTS: dict[Market, tuple[type[Dialect], type[Quotes]]] = {
    Market.US: (UsDialect, UsQuotes),
    Market.KRX: (KrxDialect, KrxQuotes),
}
COLLAR_PCT = Decimal(5)  # how far from the last price a US "market" order may fill


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
        dialect, quotes = DIALECTS[key.market]
        self._dialect, self._quotes = dialect(account, site.mock), quotes(site.mock)
        self.executions_show_open = site.mock  # 모의투자 has no list of open orders
        self._rest = Rest(door, auth, site, self._dialect.page_size_suffix)
        self._together = self._quotes.together
        self._lookup = Lookup(self._rest, key.market, site.mock, clock)
        self._history = History(self._rest, self._quotes, site.mock, clock)
        # broker_order_id -> where the order went, which amend and cancel must follow: KIS's own lists do not name it.
        self._sessions: dict[str, OrderSession] = {}
        self._org_nos: dict[str, str] = {}  # broker_order_id -> branch, which a Korean cancel must name
        self._events: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        notice = (self._dialect.notice_tr, hts_id) if hts_id else None
        number = account.cano + account.product
        self._stream = KisStream(site, clock, auth, notice, number, self._events.put_nowait)
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

    async def revoke_token(self) -> None:
        await self._auth.revoke()

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
        """A US MARKET order does not exist at KIS: it leaves as a limit 5 % beyond the last price, asked just before.

        The ack's `raw` says so. MOO and MOC are sales only; 모의투자 and the day market take limit orders only.
        """
        self._check_quantity(quantity)
        if (price is None) == (order_type in PRICED):
            why = f"{order_type} 주문에 가격 {price} / a {order_type} order with price {price}"
            raise BadPrice(tr.KIS, "-", why, "지정가 계열에만 가격을 주세요 / give a price to limit orders only")
        # A sale shrinks a position in a cash account: it goes with the exits.
        priority = Priority.EXIT if side is Side.SELL else Priority.ENTRY
        emulated = ""
        async with nothing_sent_yet():
            instrument = await self._lookup.instrument(symbol)
            venue = venue or instrument.venue
            if order_type is OrderType.MARKET and self.key.market is Market.US and session is not OrderSession.RESERVED:
                last = (await self._quote(symbol, venue, session, priority)).last
                price, order_type = collared(last, side, COLLAR_PCT, self._today()), OrderType.LIMIT
                emulated = f"시장가를 지정가 {price}로 보냈습니다 / market sent as a limit at {price} (last {last}); "
            self._check_tick(instrument, price)
        ticket = Ticket(instrument.symbol, side, quantity, price, order_type, venue, time_in_force, session)
        ack = await self._send(self._dialect.order(ticket), priority, correlation_id)
        if session is not OrderSession.RESERVED:  # reservations are numbered on their own
            self._sessions[ack.broker_order_id] = session
        return replace(ack, raw=emulated + ack.raw)

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        self._check_quantity(quantity)
        async with nothing_sent_yet():
            self._check_tick(await self._lookup.instrument(original.symbol), price)
            original = self._where_it_went(original)
            ask = self._dialect.change(original, quantity, price, await self._org_no(original, ""))
        priority = Priority.EXIT if original.side is Side.SELL else Priority.ENTRY
        ack = await self._send(ask, priority, correlation_id)
        self._sessions[ack.broker_order_id] = original.session
        return ack

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        self._check_quantity(quantity)
        async with nothing_sent_yet():
            original = self._where_it_went(original)
            ask = self._dialect.change(original, quantity, None, await self._org_no(original, org_no))
        return await self._send(ask, Priority.EXIT, correlation_id)

    def _where_it_went(self, original: BrokerOrder) -> BrokerOrder:
        """A caller that does not know an order's session may leave it REGULAR: what was sent or listed here is known."""
        if original.session is not OrderSession.REGULAR:
            return original
        return replace(original, session=self._sessions.get(original.broker_order_id, OrderSession.REGULAR))

    def _check_quantity(self, quantity: int) -> None:
        if quantity <= 0:  # KIS reads 0 as "all of it"
            why = f"수량 {quantity}주 / {quantity} shares"
            raise OrderRejected(tr.KIS, "-", why, "1주 이상이어야 합니다 / ask for one share or more")

    def _check_tick(self, instrument: Instrument, price: Decimal | None) -> None:
        """Refuse a price off the tick here: KIS's code for it is documented for 모의투자 only, else it would be unknown."""
        if price is None:
            return
        on, kind, board = self._today(), instrument.type, instrument.board or "KOSPI"
        if price <= 0 or not on_tick(self.key.market, price, on, instrument_type=kind, board=board):
            why = f"{instrument.symbol} {price}: 호가 단위가 아닙니다 / not on the tick"
            raise BadPrice(tr.KIS, "-", why, "가격을 호가 단위에 맞추세요 / round the price to the tick")

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
        orders = await self._orders([self._dialect.open_orders(self._today())])
        return [order for order in orders if order.leaves_quantity > 0 and not order.is_cancel]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        """A day to each side is asked too, by the same call: KIS dates a US night by a zone of its own."""
        day, today = timedelta(days=1), self._today()
        return await self._orders(self._dialect.executions(min(since, today) - day, until + day, today))

    async def _orders(self, asks: list[Ask]) -> list[BrokerOrder]:
        """Read lists of orders; one that came on two pages counts once, as it was last seen."""
        now = self._clock.market_now()
        # order date, branch and number: a number is unique per day and branch only (kis.md §7.2)
        found: dict[tuple[str, str, str], BrokerOrder] = {}
        for row in [row for ask in asks for row in await self._rest.list(ask)]:
            order = self._dialect.read_order(row, now)
            branch, number = text(row, "ord_gno_brno"), order.broker_order_id
            # What a list cannot name is guessed from the hour, where hours are kept: the local exchange never closes.
            guessed = order.session if self.key.environment is Environment.LIVE else OrderSession.REGULAR
            session = self._sessions.setdefault(number, guessed)
            found[text(row, "ord_dt"), branch, number] = replace(order, session=session)
            self._org_nos[number] = branch
        return list(found.values())

    def _today(self) -> date:
        return self._clock.market_now().astimezone(self._dialect.zone).date()

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        rows = await self._rest.list(self._dialect.reserved_orders(since, until))
        return [self._dialect.read_reserved(row) for row in rows]

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        if settled:
            pages = [page for ask in self._dialect.settled() for page in await self._rest.pages(ask)]
            return self._dialect.read_settled(pages)
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
        return self._dialect.read_profit(await self._rest.pages(self._dialect.profit(since, until)))

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        instrument = await self._lookup.instrument(symbol)
        return await self._quote(instrument.symbol, venue or instrument.venue, session)

    async def _quote(self, symbol: str, venue: Venue, session: OrderSession, priority: Priority | None = None) -> Quote:
        body = await self._rest.get(self._quotes.quote(symbol, venue, session), priority)
        quote = self._quotes.read_quote(symbol, body, self._clock.market_now(), self._clock.wall_now())
        if quote is None:
            raise not_found(symbol, self.key.market)
        return quote

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        """Ten US shares a call where the environment has that, else one call each."""
        if self._together > 1 and len(symbols) > 1:
            try:
                return await self._quotes_together(symbols)
            except (RateLimited, AuthExpired, AuthRefused, DoorClosed):
                raise
            except (Refused, WireError):
                self._together = 1  # its answer is known from samples only: what it cannot do is asked one by one
        found = []
        for symbol in symbols:
            with suppress(BrokerUnavailable, NotFound):
                found.append(await self.get_quote(symbol))
        return found

    async def _quotes_together(self, symbols: Sequence[str]) -> list[Quote]:
        places: list[Place] = []
        for symbol in symbols:
            with suppress(BrokerUnavailable, NotFound):
                instrument = await self._lookup.instrument(symbol)
                places.append((instrument.symbol, instrument.venue))
        found: list[Quote] = []
        for at in range(0, len(places), self._together):
            part = places[at : at + self._together]
            with suppress(BrokerUnavailable):
                body = await self._rest.get(self._quotes.quotes(part))
                found += self._quotes.read_quotes(part, body, self._clock.market_now(), self._clock.wall_now())
        return found

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        instrument = await self._lookup.instrument(symbol)
        body = await self._rest.get(self._quotes.book(instrument.symbol, venue or instrument.venue, session))
        return self._quotes.read_book(instrument.symbol, body, self._clock.market_now(), self._clock.wall_now())

    async def get_detail(self, symbol: str) -> Detail:
        instrument = await self._lookup.instrument(symbol)
        body = await self._rest.get(self._quotes.detail(instrument.symbol, instrument.venue))
        detail = self._quotes.read_detail(instrument.symbol, body)
        if detail is None:
            raise not_found(symbol, self.key.market)
        return detail

    async def get_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        count: int,
        *,
        until: datetime | None = None,
        venue: Venue | None = None,
    ) -> list[Bar]:
        instrument = await self._lookup.instrument(symbol)
        return await self._history.bars(instrument.symbol, venue or instrument.venue, timeframe, count, until)

    async def get_trades(self, symbol: str, count: int, *, venue: Venue | None = None) -> list[Tick]:
        instrument = await self._lookup.instrument(symbol)
        body = await self._rest.get(self._quotes.trades(instrument.symbol, venue or instrument.venue))
        found = self._quotes.read_trades(instrument.symbol, body, self._clock.market_now(), self._clock.wall_now())
        return found[:count]

    async def get_instrument(self, symbol: str) -> Instrument:
        return await self._lookup.instrument(symbol)

    async def list_instruments(self) -> list[Instrument]:
        return await self._history.instruments()

    async def is_open_day(self, day: date) -> bool | None:
        return await self._history.is_open_day(day)

    async def subscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        await self._stream.subscribe(await self._feed(symbol, book, venue, session))

    async def unsubscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        await self._stream.unsubscribe(await self._feed(symbol, book, venue, session))

    async def _feed(self, symbol: str, book: bool, venue: Venue | None, session: OrderSession) -> Registration:
        instrument = await self._lookup.instrument(symbol)
        return self._quotes.feed(instrument.symbol, venue or instrument.venue, book, session)

    async def renew_stream(self, why: str) -> None:
        self._stream.drop(why)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while True:
            yield await self._events.get()

    def rate_budget(self) -> RateBudget:
        return replace(self._pacer.budget(), quotes_a_call=self._together)
