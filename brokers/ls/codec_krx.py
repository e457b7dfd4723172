"""Korean market data in LS's words: quotes, books, details, bars, the master, trades. Pure."""

from __future__ import annotations

from datetime import date, datetime, time

from brokers.ls import tr
from brokers.ls.codec import (
    KST,
    Row,
    Session,
    amount,
    instant_near,
    levels,
    no_such,
    one,
    positive,
    quoted_at,
    required,
    rows,
    text,
    whole,
)
from shared.domain.account import Market
from shared.domain.errors import WireError
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency

SESSION = Session(KST, time(9, 0), time(15, 30))
QUOTES_A_CALL = 50  # t8407
VENUE_KEY = 10
KRX_ONLY = frozenset({None, Venue.KRX})
# Sizes of t8450 and of UH1 by venue; its prices are one ladder.
VENUE_SIZES = {Venue.KRX: "", Venue.NXT: "nxt_", Venue.SOR: "unx_"}
WARNINGS = ("shterm_text", "nxt_shterm_text", "alloc_text", "lend_text", "ty_text")
PERIODS = {Timeframe.D1: "2", Timeframe.W1: "3", Timeframe.MN1: "4"}


def plain_symbol(code: str) -> str:
    """Return 005930 for A005930; the prefix depends on the TR (ls.md §7.7)."""
    return code[1:] if len(code) == 7 else code


def stream_key(symbol: str, venue: Venue | None) -> str:
    """005930 at KRX; N005930 at NXT and U005930 for both together, padded to ten."""
    prefix = tr.VENUE_PREFIX[venue or Venue.KRX]
    return f"{prefix}{symbol}".ljust(VENUE_KEY) if prefix else symbol


def decode_quote(symbol: str, block: Row, now: datetime, received_at: datetime) -> Quote | None:
    """Read t1101 or t8450 as a price snapshot; None when LS does not know the symbol."""
    last = positive(block, "price")
    if last is None:
        return None
    return Quote(
        symbol=symbol,
        last=last,
        bid=positive(block, "bidho1"),
        ask=positive(block, "offerho1"),
        prev_close=positive(block, "jnilclose"),
        upper_limit=positive(block, "uplmtprice"),
        lower_limit=positive(block, "dnlmtprice"),
        volume=whole(block, "volume"),
        at=quoted_at(block, "hotime", now),
        received_at=received_at,
    )


def decode_book(symbol: str, block: Row, prefix: str, now: datetime, received_at: datetime) -> OrderBook:
    """Read t1101 (no prefix) or the sizes of one venue in t8450."""
    bids, asks = levels(block, "bidho", f"{prefix}bidrem"), levels(block, "offerho", f"{prefix}offerrem")
    if prefix:  # the shared ladder has prices at which this venue has nothing
        bids, asks = (tuple(level for level in side if level.quantity > 0) for side in (bids, asks))
    return OrderBook(symbol, bids, asks, quoted_at(block, "hotime", now), received_at)


def encode_quotes(symbols: list[str]) -> dict[str, str | int]:
    return {"nrec": len(symbols), "shcode": "".join(symbols)}


def decode_quotes(found: list[Row], now: datetime, received_at: datetime) -> list[Quote]:
    """Read t8407; it names no time, so a quote is of the moment it came. A symbol without a price is left out."""
    quotes = []
    for row in found:
        last = positive(row, "price")
        if last is not None:
            quotes.append(
                Quote(
                    symbol=required(row, "shcode"),
                    last=last,
                    bid=positive(row, "bidho"),
                    ask=positive(row, "offerho"),
                    prev_close=positive(row, "jnilclose"),
                    upper_limit=positive(row, "uplmtprice"),
                    lower_limit=positive(row, "dnlmtprice"),
                    volume=whole(row, "volume"),
                    at=now,
                    received_at=received_at,
                )
            )
    return quotes


def decode_detail(symbol: str, body: Row) -> Detail | None:
    """Read t1102; None when LS does not know the symbol. `recprice` is what the day's change counts from."""
    block = one(body, "t1102OutBlock")
    last = positive(block, "price")
    if last is None:
        return None
    lot, listed = positive(block, "memedan"), positive(block, "listing")
    words = (text(block, name) for name in WARNINGS)
    return Detail(
        symbol=symbol,
        last=last,
        open=positive(block, "open"),
        high=positive(block, "high"),
        low=positive(block, "low"),
        prev_close=positive(block, "recprice"),
        tick_size=None,
        lot=None if lot is None else int(lot),
        tradable=None,
        warning=", ".join(word for word in words if word),
        high_52w=positive(block, "high52w"),
        low_52w=positive(block, "low52w"),
        per=positive(block, "per"),
        listed_shares=None if listed is None else int(listed) * 1000,
    )


def exchange_code(venue: Venue | None) -> str:
    """`exchgubun` of a venue; anything else would silently be KRX. Raises NotSupported."""
    if venue not in tr.VENUE_CODE:
        raise no_such(f"{venue} 시세", f"prices of {venue}")
    return tr.VENUE_CODE[venue]


def encode_trades(symbol: str, venue: Venue | None) -> tuple[tr.Tr, dict[str, str | int]]:
    """Write t1301, or t8454 at NXT and for both exchanges together: the newest page."""
    asked: dict[str, str | int] = {"shcode": symbol, "cvolume": 0, "starttime": "", "endtime": "", "cts_time": ""}
    if venue in KRX_ONLY:
        return tr.TRADES, asked
    return tr.VENUE_TRADES, {**asked, "exchgubun": exchange_code(venue)}


def decode_trade(symbol: str, row: Row, now: datetime, received_at: datetime) -> Tick:
    """Read a row of t1301 or t8454: the fields of a pushed trade, without its symbol."""
    return decode_tick({**row, "shcode": symbol}, now, received_at)


def encode_bars(
    symbol: str, timeframe: Timeframe, count: int, last_day: date | None, venue: Venue | None = None
) -> tuple[tr.Tr, dict[str, str | int]]:
    """Write t8410 or t8412, at NXT and for both exchanges t8451 or t8452; no `last_day` asks for the newest bars."""
    common: dict[str, str | int] = {
        "shcode": symbol,
        "qrycnt": count,
        "sdate": "",
        "edate": "99999999" if last_day is None else f"{last_day:%Y%m%d}",
        "cts_date": "",
        "comp_yn": "N",
    }
    at_krx = venue in KRX_ONLY
    if not at_krx:
        common["exchgubun"] = exchange_code(venue)
    if timeframe in PERIODS:
        return tr.DAYS if at_krx else tr.VENUE_DAYS, {**common, "gubun": PERIODS[timeframe], "sujung": "Y"}
    minutes = timeframe.seconds // 60
    return tr.MINUTES if at_krx else tr.VENUE_MINUTES, {
        **common,
        "ncnt": minutes,
        "nday": "0",
        "stime": "",
        "etime": "",
        "cts_time": "",
    }


def decode_master(body: Row) -> dict[str, tuple[Instrument, str]]:
    """Read t8436: symbol -> (instrument, ISIN). An empty master is a WireError."""
    found = {}
    for row in rows(body, "t8436OutBlock"):
        symbol = required(row, "shcode")
        kind, board = tr.KINDS.get(text(row, "etfgubun")), tr.BOARDS.get(text(row, "gubun"))
        if kind is None or board is None:
            continue  # neither share nor fund of the two boards: not ours to trade
        instrument = Instrument(
            symbol, Market.KRX, Venue.KRX, Currency.KRW, type=kind, board=board, name=text(row, "hname")
        )
        found[symbol] = (instrument, required(row, "expcode"))
    if not found:
        raise WireError(tr.LS, "-", "t8436: no instruments")
    return found


def decode_tick(body: Row, now: datetime, received_at: datetime) -> Tick:
    """Read S3_, K3_, NS3 or US3: a time of day only, its date is the one nearest to `now` (market time)."""
    return Tick(
        symbol=required(body, "shcode"),
        price=amount(body, "price"),
        quantity=whole(body, "cvolume"),
        at=instant_near(required(body, "chetime"), now),
        received_at=received_at,
    )


def decode_pushed_book(body: Row, prefix: str, now: datetime, received_at: datetime) -> OrderBook:
    """Read H1_, HA_ or NH1 (no prefix) or UH1 (`unt_`)."""
    bids, asks = levels(body, "bidho", f"{prefix}bidrem"), levels(body, "offerho", f"{prefix}offerrem")
    return OrderBook(required(body, "shcode"), bids, asks, quoted_at(body, "hotime", now), received_at)
