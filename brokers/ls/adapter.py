"""LS behind the broker contract: one account, Korean shares, in any environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.contract import Broker, BrokerEvent, CallLog, Credentials, PeriodProfit, RateBudget, TokenStore
from brokers.http import Door, Mask
from brokers.ls import codec, tr
from brokers.ls import codec_account as account
from brokers.ls.auth import Auth
from brokers.ls.rest import Block, Rest
from brokers.ls.stream import LsStream
from brokers.pacing import Pacer, Priority
from shared.clock import Clock
from shared.domain.account import AccountKey, Market, Wire
from shared.domain.errors import (
    BadPrice,
    BrokerError,
    ConfigError,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    Refused,
    UnknownSymbol,
    WireError,
)
from shared.domain.instrument import Instrument, Venue, check_symbol
from shared.domain.market import Bar, Detail, OrderBook, Quote, Timeframe
from shared.domain.order import BrokerOrder, Cash, OrderAck, OrderSession, OrderType, Position, Side, TimeInForce
from shared.domain.venue_rules import on_tick

MAX_BAR_PAGES = 40
ROWS_A_PAGE = 500


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
    """Build the adapter of one LS account; nothing is sent before start().

    Raises:
        ConfigError: the credentials cannot be any.
        DoorClosed: an override points outside the environment's host list.
    """
    if not credentials.app_key or not credentials.app_secret:
        raise ConfigError("the credentials cannot be used", "app key or secret is missing", "enter both")
    site = tr.site(key.environment, wire, exchange_port_offset, host_override)
    whole = Pacer(tr.LS, tr.WHOLE_PACE, clock)
    pacers = {one.code: Pacer(tr.LS, one.pace, clock) for one in tr.TRS.values()}
    secrets = (credentials.app_key, credentials.app_secret, credentials.account_no, credentials.hts_id)
    door = Door(tr.LS, site.hosts, whole, clock, codec.judge, Mask(tr.MASKED_FIELDS, secrets), call_log)
    auth = Auth(door, site, credentials, clock, token_store, pacers[tr.PROBE.code])
    return LsAdapter(key, site, clock, whole, door, auth, Rest(door, auth, site, pacers))


class LsAdapter:
    """See brokers/contract.py: every promise is there."""

    def __init__(
        self, key: AccountKey, site: tr.Site, clock: Clock, pacer: Pacer, door: Door, auth: Auth, rest: Rest
    ) -> None:
        self.key = key
        self._site, self._clock, self._pacer = site, clock, pacer
        self._door, self._auth, self._rest = door, auth, rest
        self._master: dict[str, tuple[Instrument, str]] = {}  # symbol -> instrument, ISIN
        self._master_of: date | None = None  # the day that the master is of
        self._one_master = asyncio.Lock()
        self._events: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        self._stream = LsStream(site, clock, auth, self._events.put_nowait)
        self._stream.on_tick(self._events.put_nowait)

    async def start(self) -> None:
        """A token, the proof of its side (again after each new token), then the stream."""
        await self._auth.start(self._stream.reconnect)
        self._stream.connect()

    async def close(self) -> None:
        await self._auth.close()
        await self._stream.close()
        await self._door.close()

    async def revoke_token(self) -> None:
        raise no_such("토큰 폐기", "giving a token back")

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
        only_regular(session)
        block = account.encode_order(symbol, side, quantity, price, order_type, venue, time_in_force)
        await self._check_tick(symbol, price)
        # A sale shrinks a position in a cash account: it goes with the exits.
        priority = Priority.EXIT if side is Side.SELL else Priority.ENTRY
        return await self._send(tr.NEW, block, priority, correlation_id)

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        block = account.encode_amend(original, quantity, price)
        await self._check_tick(original.symbol, price)
        priority = Priority.EXIT if original.side is Side.SELL else Priority.ENTRY
        return await self._send(tr.AMEND, block, priority, correlation_id)

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        return await self._send(tr.CANCEL, account.encode_cancel(original, quantity), Priority.EXIT, correlation_id)

    async def _check_tick(self, symbol: str, price: Decimal | None) -> None:
        """Refuse an unknown symbol, or a price off the tick, before it is sent.

        LS's own code for the tick was never seen on REST, so its answer would be an unknown outcome. Without a master
        the order goes unchecked: an exit must not wait for a list.
        """
        try:
            instrument, _ = self._master.get(symbol) or await self._listed(symbol)
        except NotFound as e:
            raise UnknownSymbol(tr.LS, "-", e.what, e.now) from e
        except BrokerError:
            return
        board = instrument.board or "KOSPI"
        if price is not None and not on_tick(
            Market.KRX, price, self._market_day(), instrument_type=instrument.type, board=board
        ):
            raise BadPrice(tr.LS, "-", f"{price} is not on the tick of {symbol}", "round the price to the tick")

    async def _send(self, asked: tr.Tr, block: Block, priority: Priority, correlation_id: str | None) -> OrderAck:
        body = await self._rest.order(asked, block, priority, correlation_id)
        try:
            return account.decode_ack(asked.code, body, self._clock.market_now())
        except WireError as e:
            raise OutcomeUnknown(tr.LS, e.broker_code, f"the answer names no order: {e.message}") from e

    async def get_open_orders(self) -> list[BrokerOrder]:
        orders = await self._today(only_open=True)
        return [order for order in orders if order.leaves_quantity > 0 and not order.is_cancel]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        """모의투자 keeps no order history (CSPAQ13700 answers "nothing", ls.md §1.6): there only today is told."""
        today = self._market_day()
        found: list[BrokerOrder] = []
        day = since
        while day < min(today, until + timedelta(days=1)):
            if not self._site.mock:
                found += await self._day(day)
            day += timedelta(days=1)
        if since <= today <= until:
            found += await self._today(only_open=False)
        return found

    async def _today(self, *, only_open: bool) -> list[BrokerOrder]:
        today = self._market_day()
        rows = await self._rest.list(
            tr.TODAY,
            lambda cursor: account.encode_today(only_open=only_open, cursor=cursor),
            "t0425OutBlock1",
            cursor="cts_ordno",
            ident="ordno",
            total=("tqty", "qty"),
        )
        return [account.decode_today(row, today) for row in rows]

    async def _day(self, day: date) -> list[BrokerOrder]:
        rows = await self._rest.list(
            tr.HISTORY, lambda _: account.encode_history(day), "CSPAQ13700OutBlock3", ident="OrdNo"
        )
        return [account.decode_history(row) for row in rows]

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        raise no_such("예약주문 조회", "a list of reserved orders")

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        if settled:
            raise no_such("결제 기준 잔고", "settled holdings")
        rows = await self._rest.list(
            tr.HOLDINGS,
            account.encode_holdings,
            "t0424OutBlock1",
            cursor="cts_expcode",
        )
        return account.decode_positions(rows)

    async def get_cash(self) -> Cash:
        return account.decode_cash(await self._rest.get(tr.CASH, {"BalCreTp": "0"}), self._clock.market_now())

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        _, isin = await self._listed(symbol)
        block = account.encode_power(isin, price)
        return account.decode_power(await self._rest.get(tr.POWER, block))

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        raise no_such("기간손익", "realised profit by period")

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        only_regular(session, venue)
        body = await self._book(symbol)
        quote = codec.decode_quote(symbol, body, self._clock.market_now(), self._clock.wall_now())
        if quote is None:
            raise not_found(symbol)
        return quote

    async def get_detail(self, symbol: str) -> Detail:
        raise no_such("종목 상세", "price details")

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        only_regular(session, venue)
        body = await self._book(symbol)
        return codec.decode_book(symbol, body, self._clock.market_now(), self._clock.wall_now())

    async def _book(self, symbol: str) -> codec.Row:
        try:
            return await self._rest.get(tr.BOOK, {"shcode": known_form(symbol)})
        except Refused as e:
            if e.broker_code == tr.NO_DATA:
                raise not_found(symbol) from e
            raise

    async def get_bars(
        self, symbol: str, timeframe: Timeframe, count: int, *, until: datetime | None = None
    ) -> list[Bar]:
        if until is not None or timeframe in {Timeframe.W1, Timeframe.MN1}:
            raise no_such("주봉·월봉과 과거 시점의 봉", "bars of weeks, of months or up to a past time")
        asked, block = _chart(known_form(symbol), timeframe, count)
        now = self._clock.market_now()
        found: dict[datetime, Bar] = {}
        cont, key = False, ""
        for _ in range(MAX_BAR_PAGES):
            try:
                page = await self._rest.page(asked, block, cont=cont, key=key)
            except Refused as e:
                if e.broker_code == tr.NO_DATA:
                    raise not_found(symbol) from e
                raise
            bars = (
                codec.decode_days(symbol, page.body, now)
                if timeframe is Timeframe.D1
                else codec.decode_minutes(symbol, timeframe, page.body, now)
            )
            new = {bar.start: bar for bar in bars if bar.start not in found}
            found |= new
            head = codec.one(page.body, f"{asked.code}OutBlock")
            cursor: Block = {name: codec.text(head, name) for name in ("cts_date", "cts_time") if name in head}
            # The body's cursor is trusted, the header is not; a page that was seen before ends it (ls.md §1.5).
            if len(found) >= count or not new or not cursor.get("cts_date"):
                break
            block, cont, key = {**block, **cursor}, True, page.key
        return [found[start] for start in sorted(found)][-count:]

    async def get_instrument(self, symbol: str) -> Instrument:
        return (await self._listed(symbol))[0]

    async def _listed(self, symbol: str) -> tuple[Instrument, str]:
        """Ask the master once a day: it is 0.8 MB and counts against the budget (ls.md §3.4)."""
        known_form(symbol)
        today = self._market_day()
        async with self._one_master:
            if self._master_of != today:
                self._master = codec.decode_master(await self._rest.get(tr.MASTER, {"gubun": "0"}))
                self._master_of = today
        if symbol not in self._master:
            raise not_found(symbol)
        return self._master[symbol]

    async def list_instruments(self) -> list[Instrument]:
        raise no_such("종목 목록", "a list of instruments")

    async def is_open_day(self, day: date) -> bool | None:
        return None  # LS does not tell

    async def subscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        only_regular(session, venue)
        if book:
            raise no_such("실시간 호가", "a stream of order books")
        await self._stream.subscribe(await self._tick_tr(symbol), symbol)

    async def unsubscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        await self._stream.unsubscribe(await self._tick_tr(symbol), symbol)

    async def _tick_tr(self, symbol: str) -> str:
        return tr.TICKS[(await self._listed(symbol))[0].board]

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while True:
            yield await self._events.get()

    def rate_budget(self) -> RateBudget:
        return self._pacer.budget()

    def _market_day(self) -> date:
        return self._clock.market_now().astimezone(codec.KST).date()


def no_such(korean: str, english: str) -> NotSupported:
    return NotSupported(tr.LS, "-", f"LS증권에서는 {korean}을(를) 지원하지 않습니다 / LS does not offer {english}")


def only_regular(session: OrderSession, venue: Venue | None = None) -> None:
    """Raise NotSupported for a book other than the regular one."""
    if session is not OrderSession.REGULAR:
        raise no_such("정규장 외 주문·시세", f"the {session} session")
    if venue not in {None, Venue.KRX}:
        raise no_such(f"{venue} 시세", f"prices of {venue}")


def _chart(symbol: str, timeframe: Timeframe, count: int) -> tuple[tr.Tr, dict[str, str | int]]:
    common: dict[str, str | int] = {
        "shcode": symbol,
        "qrycnt": min(count, ROWS_A_PAGE),
        "sdate": "",
        "edate": "99999999",
        "cts_date": "",
        "comp_yn": "N",
    }
    if timeframe is Timeframe.D1:
        return tr.DAYS, {**common, "gubun": "2", "sujung": "Y"}
    minutes = timeframe.seconds // 60
    return tr.MINUTES, {**common, "ncnt": minutes, "nday": "0", "stime": "", "etime": "", "cts_time": ""}


def known_form(symbol: str) -> str:
    """Return `symbol` when it can be a Korean one. Raises NotFound."""
    try:
        return check_symbol(symbol, Market.KRX)
    except ValueError as e:
        raise not_found(symbol) from e


def not_found(symbol: str) -> NotFound:
    return NotFound(f"{symbol} is not known in KRX", "LS does not list it", "check the symbol", "unknown_symbol")
