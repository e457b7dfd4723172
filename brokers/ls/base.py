"""What an LS account does in either market: its start and end, its orders on the wire, its stream, its bar pages."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from brokers.contract import BrokerEvent, RateBudget
from brokers.http import Door
from brokers.ls import codec, tr
from brokers.ls.auth import Auth
from brokers.ls.rest import Block, Rest
from brokers.ls.stream import LsStream, Registration
from brokers.pacing import Pacer, Priority
from shared.clock import Clock
from shared.domain.account import AccountKey
from shared.domain.errors import BadPrice, NotFound, OutcomeUnknown, Refused, WireError
from shared.domain.instrument import Instrument, Venue, check_symbol
from shared.domain.market import Bar
from shared.domain.order import BrokerOrder, OrderAck, OrderSession, Side
from shared.domain.venue_rules import on_tick

MAX_BAR_PAGES = 40
ROWS_A_PAGE = 500
_T = TypeVar("_T")
CURSORS = ("cts_date", "cts_time", "cts_info")


class LsAccount(ABC):
    """The half of brokers/contract.py that does not depend on the market."""

    session: codec.Session
    executions_show_open = True  # the day's list, filtered or not

    def __init__(
        self, key: AccountKey, site: tr.Site, clock: Clock, pacer: Pacer, door: Door, auth: Auth, rest: Rest
    ) -> None:
        self.key = key
        self._site, self._clock, self._pacer = site, clock, pacer
        self._door, self._auth, self._rest = door, auth, rest
        self._events: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        self._stream = LsStream(site, clock, auth, key.market, self._events.put_nowait)

    async def start(self) -> None:
        """A token, the proof of its side (again after each new token), then the stream."""
        await self._auth.start(self._stream.reconnect)
        self._stream.connect()

    async def close(self) -> None:
        await self._auth.close()
        await self._stream.close()
        await self._door.close()

    async def revoke_token(self) -> None:
        """Give the token back; the next start() asks for a new one."""
        await self._auth.revoke()

    async def _send(self, asked: tr.Tr, block: Block, side: Side | None, correlation_id: str | None) -> OrderAck:
        """Send one order command. A sale shrinks a position in a cash account: it goes with exits and cancels."""
        priority = Priority.ENTRY if side is Side.BUY else Priority.EXIT
        body = await self._rest.order(asked, block, priority, correlation_id)
        try:
            result = codec.one(body, f"{asked.code}OutBlock2")
            number = str(codec.whole(result, "OrdNo"))
        except WireError as e:
            raise OutcomeUnknown(tr.LS, e.broker_code, f"the answer names no order: {e.message}") from e
        said = f"{codec.text(body, 'rsp_cd')} {codec.text(body, 'rsp_msg')}"
        return OrderAck(number, self._clock.market_now(), raw=said)

    def _refuse_off_tick(self, instrument: Instrument, price: Decimal | None) -> None:
        """LS's own code for the tick was never seen on REST: its answer would be an unknown outcome."""
        if price is None:
            return
        kind, board = instrument.type, instrument.board or "KOSPI"
        if (
            not price.is_finite()
            or price <= 0
            or not on_tick(self.key.market, price, self._today(), instrument_type=kind, board=board)
        ):
            raise BadPrice(
                tr.LS, "-", f"{price} is not on the tick of {instrument.symbol}", "round the price to the tick"
            )

    async def get_reserved_orders(self, since: date, until: date) -> list[BrokerOrder]:
        raise codec.no_such("예약주문 조회", "a list of reserved orders")

    async def is_open_day(self, day: date) -> bool | None:
        return None  # LS does not tell

    async def _walk_bars(
        self,
        asked: tr.Tr,
        block: Block,
        read: Callable[[codec.Row], list[Bar]],
        count: int,
        until: datetime | None,
        symbol: str,
    ) -> list[Bar]:
        """The last `count` bars up to `until`, page by page.

        The body's cursor is trusted, the header is not; a page that was seen before ends it (ls.md §1.5).

        Raises:
            WireError: the history is too long to be read whole.
        """
        found: dict[datetime, Bar] = {}
        cont, key = False, ""
        for _ in range(MAX_BAR_PAGES):
            page = await self._known(symbol, self._rest.page(asked, block, cont=cont, key=key))
            bars = {bar.start: bar for bar in read(page.body) if until is None or bar.start <= until}
            head = page.body.get(f"{asked.code}OutBlock")
            cursor: dict[str, str | int] = (
                {name: codec.text(head, name) for name in CURSORS if name in block and name in head}
                if isinstance(head, dict)
                else {}
            )
            echo = bool(bars) and bars.keys() <= found.keys()
            found = bars | found
            moved = any(block[name] != value for name, value in cursor.items())
            if len(found) >= count or echo or not moved or not cursor.get("cts_date"):
                return [found[start] for start in sorted(found)][-count:]
            block, cont, key = {**block, **cursor}, True, page.key
        raise WireError(tr.LS, "-", f"{asked.code}: more than {MAX_BAR_PAGES} pages for {count} bars of {symbol}")

    async def _known(self, symbol: str, asked: Awaitable[_T]) -> _T:
        """Await a call about `symbol`. Raises NotFound when LS says that it has no such symbol."""
        try:
            return await asked
        except Refused as e:
            if e.broker_code == tr.NO_DATA:
                raise self._not_found(symbol) from e
            raise

    def _known_form(self, symbol: str) -> str:
        """Return `symbol` when it can be one of this market. Raises NotFound."""
        try:
            return check_symbol(symbol, self.key.market)
        except ValueError as e:
            raise self._not_found(symbol) from e

    def _not_found(self, symbol: str) -> NotFound:
        what = f"{symbol} is not known in {self.key.market}"
        return NotFound(what, "LS does not list it", "check the symbol", "unknown_symbol")

    @abstractmethod
    async def _feed(self, symbol: str, *, book: bool, venue: Venue | None) -> Registration:
        """The registration that carries trades or the book of `symbol`."""

    async def subscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        only_regular(session)
        await self._stream.subscribe(*await self._feed(symbol, book=book, venue=venue))

    async def unsubscribe(
        self,
        symbol: str,
        *,
        book: bool = False,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> None:
        only_regular(session)
        await self._stream.unsubscribe(*await self._feed(symbol, book=book, venue=venue))

    async def renew_stream(self, why: str) -> None:
        self._stream.drop(why)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while True:
            yield await self._events.get()

    def rate_budget(self) -> RateBudget:
        return self._rest.budget(self._pacer.budget())

    def _today(self) -> date:
        return self.session.day(self._clock.market_now())


def only_regular(session: OrderSession) -> None:
    """Raise NotSupported for a book other than the regular one: LS documents neither day-market nor reserved orders
    that could be sent here (its reservations have calls of their own without documented fields)."""
    if session is not OrderSession.REGULAR:
        raise codec.no_such("정규장 외 주문·시세", f"the {session} session")
