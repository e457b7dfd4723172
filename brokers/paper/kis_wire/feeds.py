"""Which streams a trade or a book goes to: TR ids and keys by market, board and session (kis.md §5.3 to §5.8).

One tape stands for all boards of a KRX share: KRX (ST), NXT (NX) and both together (UN) tell the same trades, each in
its own hours. Where the exchange is always open, every board tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from brokers.paper.accounts import Frames
from brokers.paper.clock import Sessions
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire import frames
from brokers.paper.kis_wire.symbols import US_EXCHANGES
from brokers.paper.listings import Listing
from brokers.paper.tape import Trade
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.market import OrderBook
from shared.domain.sessions import SessionState, Timetable, session_at

US_TRADE, US_BOOK, US_BOOK_ONE = "HDFSCNT0", "HDFSASP0", "HDFSASP1"
KRX_TRADE, KRX_BOOK, KRX_EXPECTED, KRX_AFTER_HOURS = "H0STCNT0", "H0STASP0", "H0STANC0", "H0STOUP0"
NXT_TRADE, NXT_BOOK, NXT_EXPECTED = "H0NXCNT0", "H0NXASP0", "H0NXANC0"
BOTH_TRADE, BOTH_BOOK, BOTH_EXPECTED = "H0UNCNT0", "H0UNASP0", "H0UNANC0"

MTYP = {SessionState.PRE: "2", SessionState.AFTER: "3"}  # MTYP; 1 is the regular session
_EVENING = frozenset({SessionState.AFTER_SINGLE, SessionState.AFTER_MARKET})
_CLOSED = frozenset({SessionState.CLOSED, SessionState.BREAK})


@dataclass(frozen=True, slots=True)
class Feed:
    """One TR and key, and how to write the frame for it."""

    tr_id: str
    tr_key: str
    write: Callable[[], list[str]]


def of_trade(exchange: Exchange, listing: Listing, trade: Trade) -> Iterator[Feed]:
    if listing.market is Market.US:
        state = _us_state(exchange, trade.at)
        mtyp = MTYP.get(state, "1") if state else "1"
        for key in us_keys(exchange, listing, trade.at):
            yield Feed(US_TRADE, key, partial(frames.us_trade, key, trade, mtyp))
        return
    boards, extended = _boards(exchange, listing, trade.at), exchange.frames is Frames.EXTENDED
    for board, tr_id in (("ST", KRX_TRADE), ("NX", NXT_TRADE), ("UN", BOTH_TRADE)):
        if board in boards:
            yield Feed(tr_id, trade.symbol, lambda: frames.krx_trade(trade) + (frames.MARKET if extended else []))
    if "EVENING" in boards:
        yield Feed(KRX_AFTER_HOURS, trade.symbol, lambda: frames.krx_trade(trade)[: frames.AFTER_HOURS_FIELDS])


def of_book(exchange: Exchange, listing: Listing, book: OrderBook) -> Iterator[Feed]:
    if listing.market is Market.US:
        for key in us_keys(exchange, listing, book.at):
            yield Feed(US_BOOK, key, partial(frames.us_book, key, book))
            yield Feed(US_BOOK_ONE, key, partial(frames.us_book, key, book, 1))
        return
    boards = _boards(exchange, listing, book.at)
    trade, expected = exchange.quote(book.symbol), exchange.expected(book.symbol)
    plain = partial(frames.krx_book, book, trade, expected)
    more = frames.EXTENSIONS if exchange.frames is Frames.EXTENDED else frames.DOCUMENTED
    for board, tr_id in (("ST", KRX_BOOK), ("NX", NXT_BOOK), ("UN", BOTH_BOOK)):
        if board in boards:
            yield Feed(tr_id, book.symbol, partial(_longer, plain, more[board], book))
    if expected is None:
        return
    for board, tr_id in (("ST", KRX_EXPECTED), ("NX", NXT_EXPECTED), ("UN", BOTH_EXPECTED)):
        if board in boards:
            yield Feed(tr_id, book.symbol, lambda: frames.krx_expected(trade, *expected))


def _longer(plain: Callable[[], list[str]], more: Callable[[OrderBook], list[str]], book: OrderBook) -> list[str]:
    return plain() + more(book)


def us_keys(exchange: Exchange, listing: Listing, at: datetime) -> list[str]:
    """The tr_keys of a US symbol now: `D` + home exchange by night, `R` + its day-market code by day (kis.md §5.3)."""
    home = US_EXCHANGES[listing.venue]
    symbol, state = listing.symbol, _us_state(exchange, at)
    night, day = f"D{home.quote}{symbol}", f"R{home.day_quote}{symbol}"
    if state is None:
        return [night, day]
    return [day] if state is SessionState.DAY else [night]


def _us_state(exchange: Exchange, at: datetime) -> SessionState | None:
    """The session of KIS's US customers; None where the exchange is always open."""
    return None if exchange.sessions is Sessions.ALWAYS else _state(Timetable.KIS_US, at.replace(microsecond=0))


def _boards(exchange: Exchange, listing: Listing, at: datetime) -> frozenset[str]:
    if exchange.sessions is Sessions.ALWAYS:
        open_now = frozenset({"ST", "NX", "UN", "EVENING"})
    else:
        open_now = _krx_boards(at.replace(microsecond=0))
    return open_now if listing.on_nxt else open_now - {"NX"}


@lru_cache(maxsize=256)
def _krx_boards(at: datetime) -> frozenset[str]:
    krx, nxt = _state(Timetable.KRX, at), _state(Timetable.NXT, at)
    boards = set()
    if krx in _EVENING:
        boards.add("EVENING")
    elif krx not in _CLOSED:
        boards |= {"ST", "UN"}
    if nxt not in _CLOSED:
        boards |= {"NX", "UN"}
    return frozenset(boards)


@lru_cache(maxsize=256)
def _state(timetable: Timetable, at: datetime) -> SessionState:
    return session_at(timetable, at, load())
