"""LS behind the broker contract: US shares. 모의투자 has none (ls.md §1.6), so this is a real account or the local exchange."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from brokers.contract import PeriodProfit
from brokers.http import Door
from brokers.ls import account_us as account
from brokers.ls import codec, codec_us, tr
from brokers.ls.auth import Auth
from brokers.ls.base import MAX_BAR_PAGES, ROWS_A_PAGE, LsAccount, only_regular
from brokers.ls.rest import Rest
from brokers.ls.stream import Registration
from brokers.pacing import Pacer
from shared.clock import Clock
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BrokerError,
    BrokerUnavailable,
    DoorClosed,
    NotFound,
    NotSent,
    OrderRejected,
    RateLimited,
    Refused,
    UnknownSymbol,
    WireError,
)
from shared.domain.fees import default_contract
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderAck, OrderSession, OrderType, Position, Side, TimeInForce
from shared.domain.venue_rules import round_to_tick, tick_size

TRADES_A_PAGE = 30
NOT_OF_THE_CALL = (RateLimited, AuthExpired, AuthRefused, DoorClosed)  # another call would hear the same
COLLAR_PCT = Decimal(5)  # how far above the last price a "market" buy may fill
ORDER_ROWS, HOLDING_ROWS = "COSAQ00102OutBlock3", "COSOQ00201OutBlock4"
FEE_PCT = default_contract(BrokerName.LS, Market.US).buy_pct


class LsUs(LsAccount):
    """See brokers/contract.py: every promise is there."""

    session = codec_us.SESSION

    def __init__(
        self, key: AccountKey, site: tr.Site, clock: Clock, pacer: Pacer, door: Door, auth: Auth, rest: Rest
    ) -> None:
        super().__init__(key, site, clock, pacer, door, auth, rest)
        self._listings: dict[str, tuple[Instrument, codec_us.Key]] = {}

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
        """A MARKET buy does not exist at LS: it leaves as a limit 5 % above the last price, asked just before."""
        only_regular(session)
        instrument, key = await self._to_order(symbol, venue)
        if order_type is OrderType.MARKET and side is Side.BUY and price is None:
            price, order_type = await self._collared(symbol, key), OrderType.LIMIT
        block = account.encode_order(key, side, quantity, price, order_type, time_in_force)
        self._refuse_off_tick(instrument, price)
        return await self._send(tr.US_NEW, block, side, correlation_id)

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        only_regular(original.session)
        instrument, key = await self._to_order(original.symbol, original.venue)
        block = account.encode_amend(key, original, quantity, price)
        self._refuse_off_tick(instrument, price)
        return await self._send(tr.US_AMEND, block, original.side, correlation_id)

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        only_regular(original.session)
        _, key = await self._to_order(original.symbol, original.venue)
        return await self._send(tr.US_NEW, account.encode_cancel(key, original, quantity), None, correlation_id)

    async def _to_order(self, symbol: str, venue: Venue | None = None) -> tuple[Instrument, codec_us.Key]:
        """Where a symbol is traded; whatever goes wrong here, nothing was sent.

        An exchange that the caller names is believed: an exit must not wait for a question that answers it.

        Raises:
            UnknownSymbol: LS does not list it, or lists it elsewhere than at `venue`. NotSent: LS could not be asked.
        """
        symbol, exchange = codec_us.our_symbol(symbol), codec_us.exchange_of(venue)
        if venue is not None and exchange is not None and symbol not in self._listings and codec_us.OURS not in symbol:
            return Instrument(symbol, Market.US, venue, Currency.USD), codec_us.Key(exchange, symbol)
        try:
            instrument, key = await self._listed(symbol)
        except NotFound as e:
            raise UnknownSymbol(tr.LS, "-", e.what, e.now) from e
        except Refused:
            raise
        except BrokerError as e:
            raise NotSent(tr.LS, e.broker_code, e.message, e.now) from e
        if venue is not None and venue not in tr.US_MARKETS[key.exchange]:
            raise UnknownSymbol(tr.LS, "-", f"{symbol} is listed at {instrument.venue}, not at {venue}")
        return instrument, key

    async def _collared(self, symbol: str, key: codec_us.Key) -> Decimal:
        try:
            last, barred = codec_us.decode_price(await self._rest.get(tr.US_PRICE, key.block))
        except Refused:
            raise
        except BrokerError as e:
            raise NotSent(tr.LS, e.broker_code, e.message, e.now) from e
        if barred:
            raise OrderRejected(tr.LS, "-", f"{symbol}: {barred}", "다른 종목을 고르십시오. / Choose another symbol.")
        if last is None:
            raise UnknownSymbol(tr.LS, "-", f"{symbol} has no price", "check the symbol")
        limit = last * (1 + COLLAR_PCT / 100)
        return round_to_tick(limit, tick_size(Market.US, limit, self._today()), Side.BUY)

    async def get_open_orders(self) -> list[BrokerOrder]:
        """A night's orders may stand under the day it began on or under the next: both are asked while they differ."""
        now = self._clock.market_now()
        days = {now.astimezone(codec.KST).date(), self._today()}
        found: dict[tuple[str, str, Side, int, Decimal | None], BrokerOrder] = {}
        for day in sorted(days):
            for one in await self._day_list(day, only_open=True):
                if one.leaves_quantity > 0 and not one.is_cancel:
                    found[one.broker_order_id, one.symbol, one.side, one.quantity, one.price] = one
        return list(found.values())

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        """The Korean day after `until` is asked too: the second half of the session may stand under it."""
        since = min(since, self._today())
        last = min(until + timedelta(days=1), self._clock.market_now().astimezone(codec.KST).date())
        days = (since + timedelta(days=n) for n in range((last - since).days + 1))
        return [order for day in days for order in await self._day_list(day, only_open=False)]

    async def _day_list(self, day: date, *, only_open: bool) -> list[BrokerOrder]:
        now, never_closes = self._clock.market_now(), self.key.environment is Environment.SIM
        found: list[BrokerOrder] = []
        for exchange in tr.US_MARKETS:
            block = partial(account.encode_orders, exchange, day, only_open)
            rows = await self._rest.list(tr.US_ORDERS, block, ORDER_ROWS, ident="OrdNo")
            found += [account.decode_order(row, day, now, never_closes=never_closes) for row in rows]
        return found

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        on = self._clock.market_now().astimezone(codec.KST).date()
        rows = await self._rest.list(tr.US_BALANCE, lambda _: account.encode_balance(on), HOLDING_ROWS)
        return account.decode_positions(rows, settled=settled)

    async def get_cash(self) -> Cash:
        return account.decode_cash(await self._rest.get(tr.US_CASH, account.ASK_CASH), self._clock.market_now())

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        """LS says what cash can be ordered with; how many shares that buys is our arithmetic, its fee included."""
        await self._listed(symbol)
        power = (await self.get_cash()).buying_power or Decimal(0)
        return power, account.affordable(power, price, FEE_PCT)

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        raise codec.no_such("미국주식 기간손익", "realised profit of US shares by period")

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        symbol, body = await self._book(symbol, session)
        quote = codec_us.decode_quote(symbol, body, self._clock.market_now(), self._clock.wall_now())
        if quote is None:
            raise self._not_found(symbol)
        return quote

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        """One call each: LS has none for several US symbols."""
        found = []
        for symbol in symbols:
            with suppress(BrokerUnavailable, NotFound):
                found.append(await self.get_quote(symbol))
        return found

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        symbol, body = await self._book(symbol, session)
        return codec_us.decode_book(symbol, body, self._clock.market_now(), self._clock.wall_now())

    async def _book(self, symbol: str, session: OrderSession) -> tuple[str, codec.Row]:
        """The symbol as it is written here, and g3106 of it."""
        only_regular(session)
        instrument, key = await self._listed(symbol)
        body = await self._rest.get(tr.US_BOOK, key.block)
        if not codec_us.known(body, tr.US_BOOK.code):
            raise self._not_found(symbol)
        return instrument.symbol, body

    async def get_detail(self, symbol: str) -> Detail:
        instrument, key = await self._listed(symbol)
        priced = await self._rest.get(tr.US_PRICE, key.block)
        detail = codec_us.decode_detail(instrument.symbol, priced, await self._rest.get(tr.US_LISTING, key.block))
        if detail is None:
            raise self._not_found(symbol)
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
        now = self._clock.market_now()
        instrument, key = await self._listed(symbol)
        symbol = instrument.symbol
        last_day = self.session.label_day(until or now, timeframe)
        asked, block = codec_us.encode_bars(key, timeframe, min(count, ROWS_A_PAGE), last_day)

        def read(body: codec.Row) -> list[Bar]:
            rows = codec.rows(body, f"{asked.code}OutBlock1")
            if asked is tr.US_DAYS:
                return codec.decode_days(symbol, timeframe, rows, "volume", self.session, now)
            return codec.decode_minutes(symbol, timeframe, rows, ("loctime", "exevol"), self.session.zone, now)

        try:
            return await self._walk_bars(asked, block, read, count, until, symbol)
        except (Refused, WireError) as e:
            if asked is not tr.US_DAYS or isinstance(e, NOT_OF_THE_CALL):
                raise
        return await self._table(symbol, key, timeframe, count, until)

    async def _table(
        self, symbol: str, key: codec_us.Key, timeframe: Timeframe, count: int, until: datetime | None
    ) -> list[Bar]:
        """The last `count` bars up to `until` by g3103, which has no cursor: each page ends before the last began."""
        now = self._clock.market_now()
        last_day = self.session.day(until or now)
        found: list[codec.Row] = []
        for _ in range(MAX_BAR_PAGES):
            body = await self._known(
                symbol, self._rest.get(tr.US_TABLE, codec_us.encode_table(key, timeframe, last_day))
            )
            seen = {codec.text(row, "chedate") for row in found}
            new = [row for row in codec.rows(body, "g3103OutBlock1") if codec.text(row, "chedate") not in seen]
            found += new
            if not new or len(found) > count:
                break
            last_day = codec.calendar_day(codec.required(found[-1], "chedate")) - timedelta(days=1)
        else:
            raise WireError(tr.LS, "-", f"g3103: more than {MAX_BAR_PAGES} pages for {count} bars of {symbol}")
        bars = codec_us.decode_table(symbol, timeframe, found, now)
        return [bar for bar in bars if until is None or bar.start <= until][-count:]

    async def get_trades(self, symbol: str, count: int, *, venue: Venue | None = None) -> list[Tick]:
        instrument, key = await self._listed(symbol)
        wanted, received_at = min(count, TRADES_A_PAGE), self._clock.wall_now()
        try:
            body = await self._rest.get(tr.US_TRADES, codec_us.encode_trades(key, wanted))
        except (Refused, WireError) as e:
            if isinstance(e, NOT_OF_THE_CALL):
                raise
            body = await self._rest.get(tr.US_TICK_CHART, codec_us.encode_tick_chart(key, wanted))
            rows = codec.rows(body, f"{tr.US_TICK_CHART.code}OutBlock1")[::-1]
            return [codec_us.decode_bar_of_one(instrument.symbol, row, received_at) for row in rows]
        found = codec.rows(body, f"{tr.US_TRADES.code}OutBlock1")
        return [codec_us.decode_trade(instrument.symbol, row, received_at) for row in found[:count]]

    async def get_instrument(self, symbol: str) -> Instrument:
        return (await self._listed(symbol))[0]

    async def list_instruments(self) -> list[Instrument]:
        found: dict[str, Instrument] = {}
        for venue in codec_us.LISTS:
            ask = partial(codec_us.encode_master, venue)
            rows = await self._rest.list(tr.US_MASTER, ask, "g3190OutBlock1", cursor="cts_value", ident="keysymbol")
            listed = (codec_us.decode_listed(venue, row) for row in rows)
            found = {one.symbol: one for one in listed if one is not None} | found
        return list(found.values())

    async def _listed(self, symbol: str) -> tuple[Instrument, codec_us.Key]:
        """Ask LS where a symbol is listed and how it spells it; remembered while the account runs.

        Raises:
            NotFound: LS does not know it.
        """
        symbol = codec_us.our_symbol(self._known_form(symbol))
        if symbol not in self._listings:
            for key in codec_us.candidates(symbol):
                body = await self._rest.get(tr.US_LISTING, key.block)
                if codec_us.known(body, tr.US_LISTING.code):
                    self._listings[symbol] = codec_us.decode_instrument(symbol, body), key
                    break
            else:
                raise self._not_found(symbol)
        return self._listings[symbol]

    async def _feed(self, symbol: str, *, book: bool, venue: Venue | None) -> Registration:
        _, key = await self._listed(symbol)
        return (tr.US_BOOKS if book else tr.US_TICKS), key.padded
