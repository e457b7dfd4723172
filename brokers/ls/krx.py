"""LS behind the broker contract: Korean shares, at KRX and NXT, real and 모의투자."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial

from brokers.contract import PeriodProfit, RateBudget
from brokers.http import Door
from brokers.ls import account_krx as account
from brokers.ls import codec, codec_krx, tr
from brokers.ls.auth import Auth
from brokers.ls.base import ROWS_A_PAGE, LsAccount, only_regular
from brokers.ls.rest import Rest
from brokers.ls.stream import Registration
from brokers.pacing import Pacer
from shared.clock import Clock
from shared.domain.account import AccountKey
from shared.domain.errors import BrokerError, NotFound, Refused, UnknownSymbol
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderAck, OrderSession, OrderType, Position, Side, TimeInForce

LIST_WAIT_S = 3.0
LONG_SESSION = codec.Session(codec.KST, time(8, 0), time(20, 0))  # NXT, and both exchanges together


class LsKrx(LsAccount):
    """See brokers/contract.py: every promise is there."""

    session = codec_krx.SESSION

    def __init__(
        self, key: AccountKey, site: tr.Site, clock: Clock, pacer: Pacer, door: Door, auth: Auth, rest: Rest
    ) -> None:
        super().__init__(key, site, clock, pacer, door, auth, rest)
        self._master: dict[str, tuple[Instrument, str]] = {}  # symbol -> instrument, ISIN
        self._master_of: date | None = None  # the day that the master is of
        self._one_master = asyncio.Lock()

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
        code = await self._checked(symbol, price)
        block = account.encode_order(code, side, quantity, price, order_type, venue, time_in_force)
        return await self._send(tr.NEW, block, side, correlation_id)

    async def amend_order(
        self, original: BrokerOrder, quantity: int, price: Decimal, *, correlation_id: str | None = None
    ) -> OrderAck:
        only_regular(original.session)
        block = account.encode_amend(await self._checked(original.symbol, price), original, quantity, price)
        return await self._send(tr.AMEND, block, original.side, correlation_id)

    async def cancel_order(
        self, original: BrokerOrder, quantity: int, *, org_no: str = "", correlation_id: str | None = None
    ) -> OrderAck:
        only_regular(original.session)
        known = self._master.get(original.symbol)  # a cancel waits for no list
        code = account.issue_code(original.symbol, known[0].type) if known else account.issue_code(original.symbol)
        return await self._send(tr.CANCEL, account.encode_cancel(code, original, quantity), None, correlation_id)

    async def _checked(self, symbol: str, price: Decimal | None) -> str:
        """Return the issue code of a symbol; refuse an unknown one, or a price off the tick, before it is sent.

        Without a master the order goes unchecked: an exit must not wait long for a list.
        """
        try:
            async with asyncio.timeout(LIST_WAIT_S):
                instrument, _ = self._master.get(symbol) or await self._listed(symbol)
        except NotFound as e:
            raise UnknownSymbol(tr.LS, "-", e.what, e.now) from e
        except (BrokerError, TimeoutError):
            return account.issue_code(symbol)
        self._refuse_off_tick(instrument, price)
        return account.issue_code(symbol, instrument.type)

    async def get_open_orders(self) -> list[BrokerOrder]:
        orders = await self._today_list(only_open=True)
        return [order for order in orders if order.leaves_quantity > 0 and not order.is_cancel]

    async def get_executions(self, since: date, until: date) -> list[BrokerOrder]:
        """모의투자 keeps no order history (CSPAQ13700 answers "nothing", ls.md §1.6): there only today is told."""
        today = self._today()
        found: list[BrokerOrder] = []
        day = since = min(since, today)
        while day < min(today, until + timedelta(days=1)):
            if not self._site.mock:
                found += await self._day_list(day)
            day += timedelta(days=1)
        if since <= today <= until:
            found += await self._today_list(only_open=False)
        return found

    async def _today_list(self, *, only_open: bool) -> list[BrokerOrder]:
        today = self._today()
        rows = await self._rest.list(
            tr.TODAY,
            lambda cursor: account.encode_today(only_open=only_open, cursor=cursor),
            "t0425OutBlock1",
            cursor="cts_ordno",
            ident="ordno",
            total=("tqty", "qty"),
        )
        return [account.decode_today(row, today) for row in rows]

    async def _day_list(self, day: date) -> list[BrokerOrder]:
        rows = await self._rest.list(
            tr.HISTORY, lambda _: account.encode_history(day), "CSPAQ13700OutBlock3", ident="OrdNo"
        )
        return [account.decode_history(row) for row in rows]

    async def get_positions(self, *, settled: bool = False) -> list[Position]:
        if settled:
            rows = await self._rest.list(tr.SETTLED, lambda _: account.SETTLED_HOLDINGS, "CSPAQ12300OutBlock3")
            return account.decode_settled(rows)
        rows = await self._rest.list(tr.HOLDINGS, account.encode_holdings, "t0424OutBlock1", cursor="cts_expcode")
        return account.decode_positions(rows)

    async def get_cash(self) -> Cash:
        return account.decode_cash(await self._rest.get(tr.CASH, {"BalCreTp": "0"}), self._clock.market_now())

    async def get_buying_power(self, symbol: str, price: Decimal, venue: Venue | None = None) -> tuple[Decimal, int]:
        _, isin = await self._listed(symbol)
        block = account.encode_power(isin, price)
        return account.decode_power(await self._rest.get(tr.POWER, block))

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        """Sales, fees and taxes by the trade journal, day by day.

        What was realised LS tells for today alone; 모의투자 keeps no journal, so there it is all there is.
        """
        today = self._today()
        only_today = since == until == today
        if self._site.mock and not only_today:
            raise codec.no_such("모의투자의 지난 매매일지", "the trade journal of past days in mock trading")
        realized = None
        if only_today:
            realized = account.decode_realized(await self._rest.get(tr.HOLDINGS, account.encode_holdings("")))
        if self._site.mock:
            return PeriodProfit(Currency.KRW, realized, None, None, ())
        fees = taxes = Decimal(0)
        rows = []
        for ago in range((min(until, today) - since).days, -1, -1):
            day = min(until, today) - timedelta(days=ago)
            asked, date_field = (tr.JOURNAL, None) if day == today else (tr.JOURNAL_OF, day)
            journal = await self._rest.whole(
                asked,
                partial(account.encode_journal, date_field),
                f"{asked.code}OutBlock1",
                cursor=account.JOURNAL_CURSORS,
            )
            rows += account.decode_sales(journal.rows, day)
            fee, tax = account.decode_costs(journal.first, asked.code)
            fees, taxes = fees + fee, taxes + tax
        return PeriodProfit(Currency.KRW, realized, fees, taxes, tuple(rows))

    async def get_quote(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> Quote:
        only_regular(session)
        block, _ = await self._book(symbol, venue)
        quote = codec_krx.decode_quote(symbol, block, self._clock.market_now(), self._clock.wall_now())
        if quote is None:
            raise self._not_found(symbol)
        return quote

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        found: list[Quote] = []
        for start in range(0, len(symbols), codec_krx.QUOTES_A_CALL):
            found += await self._quotes([self._known_form(one) for one in symbols[start:][: codec_krx.QUOTES_A_CALL]])
        return found

    async def _quotes(self, symbols: list[str]) -> list[Quote]:
        """One call; where LS refuses the whole for one symbol that it does not know, one call each."""
        try:
            body = await self._rest.get(tr.QUOTES, codec_krx.encode_quotes(symbols))
        except Refused as e:
            if e.broker_code != tr.NO_DATA:
                raise
            singles = []
            for symbol in symbols:
                with suppress(NotFound):
                    singles.append(await self.get_quote(symbol))
            return singles
        rows = codec.rows(body, "t8407OutBlock1")
        return codec_krx.decode_quotes(rows, self._clock.market_now(), self._clock.wall_now())

    async def get_order_book(
        self, symbol: str, *, venue: Venue | None = None, session: OrderSession = OrderSession.REGULAR
    ) -> OrderBook:
        only_regular(session)
        block, sizes = await self._book(symbol, venue)
        return codec_krx.decode_book(symbol, block, sizes, self._clock.market_now(), self._clock.wall_now())

    async def _book(self, symbol: str, venue: Venue | None) -> tuple[codec.Row, str]:
        """Price and book with the prefix of its sizes: t1101 at KRX, t8450 at NXT and for both together."""
        self._known_form(symbol)
        if venue in codec_krx.KRX_ONLY:
            body = await self._known(symbol, self._rest.get(tr.BOOK, {"shcode": symbol}))
            return codec.one(body, "t1101OutBlock"), ""
        asked = {"shcode": symbol, "exchgubun": codec_krx.exchange_code(venue)}
        body = await self._known(symbol, self._rest.get(tr.VENUE_BOOK, asked))
        return codec.one(body, "t8450OutBlock"), codec_krx.VENUE_SIZES[venue or Venue.KRX]

    async def get_detail(self, symbol: str) -> Detail:
        asked = {"shcode": self._known_form(symbol), "exchgubun": tr.VENUE_CODE[Venue.KRX]}
        detail = codec_krx.decode_detail(symbol, await self._known(symbol, self._rest.get(tr.DETAIL, asked)))
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
        session = self.session if venue in codec_krx.KRX_ONLY else LONG_SESSION
        last_day = None if until is None else session.label_day(until, timeframe)
        rows_wanted = min(count, ROWS_A_PAGE)
        asked, block = codec_krx.encode_bars(self._known_form(symbol), timeframe, rows_wanted, last_day, venue)

        def read(body: codec.Row) -> list[Bar]:
            rows = codec.rows(body, f"{asked.code}OutBlock1")
            if asked in (tr.DAYS, tr.VENUE_DAYS):
                return codec.decode_days(symbol, timeframe, rows, "jdiff_vol", session, now)
            return codec.decode_minutes(symbol, timeframe, rows, ("time", "jdiff_vol"), codec.KST, now)

        return await self._walk_bars(asked, block, read, count, until, symbol)

    async def get_trades(self, symbol: str, count: int, *, venue: Venue | None = None) -> list[Tick]:
        asked, block = codec_krx.encode_trades(self._known_form(symbol), venue)
        body = await self._known(symbol, self._rest.get(asked, block))
        now, received_at = self._clock.market_now(), self._clock.wall_now()
        found = codec.rows(body, f"{asked.code}OutBlock1")
        return [codec_krx.decode_trade(symbol, row, now, received_at) for row in found[:count]]

    async def get_instrument(self, symbol: str) -> Instrument:
        return (await self._listed(symbol))[0]

    async def list_instruments(self) -> list[Instrument]:
        await self._load_master()
        return [instrument for instrument, _ in self._master.values()]

    async def _listed(self, symbol: str) -> tuple[Instrument, str]:
        self._known_form(symbol)
        await self._load_master()
        if symbol not in self._master:
            raise self._not_found(symbol)
        return self._master[symbol]

    async def _load_master(self) -> None:
        """Ask the master once a day: it is 0.8 MB and counts against the budget (ls.md §3.4)."""
        today = self._today()
        async with self._one_master:
            if self._master_of != today:
                self._master = codec_krx.decode_master(await self._rest.get(tr.MASTER, {"gubun": "0"}))
                self._master_of = today

    def rate_budget(self) -> RateBudget:
        return replace(super().rate_budget(), quotes_a_call=codec_krx.QUOTES_A_CALL)

    async def _feed(self, symbol: str, *, book: bool, venue: Venue | None) -> Registration:
        """By board at KRX: on the other board's channel a symbol is silently without data."""
        board = (await self._listed(symbol))[0].board
        channels = tr.BOOKS if book else tr.TICKS
        channel = channels.get(board if venue in codec_krx.KRX_ONLY else str(venue))
        if channel is None:
            raise codec.no_such(f"{venue} 실시간 시세", f"a stream of {venue}")
        return channel, codec_krx.stream_key(symbol, venue)
