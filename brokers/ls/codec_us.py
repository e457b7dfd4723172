"""US market data in LS's words: keys, quotes, books, details, bars, the master, trades. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from brokers.ls import tr
from brokers.ls.codec import (
    KST,
    Row,
    Session,
    amount,
    calendar_day,
    decode_days,
    instant,
    levels,
    one,
    positive,
    quoted_at,
    required,
    text,
    whole,
)
from shared.domain.account import Market
from shared.domain.errors import WireError
from shared.domain.instrument import Instrument, InstrumentType, Venue
from shared.domain.market import Bar, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency

NEW_YORK = ZoneInfo("America/New_York")
SESSION = Session(NEW_YORK, time(9, 30), time(16, 0))
SIGNS = {"1": 1, "2": 1, "4": -1, "5": -1}  # of a change: at the upper limit, up, at the lower limit, down
PERIODS = {Timeframe.D1: "2", Timeframe.W1: "3", Timeframe.MN1: "4"}
OURS = "."  # parts the ticker and the class of a share (BRK.B) in every list, whoever the broker is
SPELLINGS = "/.-"  # of a class share; which one LS writes is not documented, so each is tried
KEY_LENGTH = 18
MASTER_ROWS = 500
REGULAR_MINUTES = 390
MARGIN_DAYS = 14  # holidays and halts
# exgubun: 2 is NASDAQ by the official sample, the other two are inferred.
LISTS = {Venue.NASDAQ: "2", Venue.NYSE: "1", Venue.AMEX: "3"}
SELL_ONLY, BARRED = "1", "2"  # sellonly; "0" is tradable
AMEX_WORDS = ("AMEX", "아멕스", "ARCA")


class Key(NamedTuple):
    """How LS names a US symbol: its exchange code and its own spelling."""

    exchange: str
    ticker: str

    @property
    def joined(self) -> str:
        return self.exchange + self.ticker

    @property
    def padded(self) -> str:
        """As the stream wants it."""
        return self.joined.ljust(KEY_LENGTH)

    @property
    def block(self) -> dict[str, str | int]:
        return {"delaygb": "R", "keysymbol": self.joined, "exchcd": self.exchange, "symbol": self.ticker}


def exchange_of(venue: Venue | None) -> str | None:
    return next((exchange for exchange, venues in tr.US_MARKETS.items() if venue in venues), None)


def candidates(symbol: str) -> list[Key]:
    """Every way LS may name `symbol`, likeliest first."""
    tickers = [symbol.replace(OURS, mark) for mark in SPELLINGS] if OURS in symbol else [symbol]
    return [Key(exchange, ticker) for ticker in tickers for exchange in tr.US_MARKETS]


def our_symbol(ticker: str) -> str:
    """Return BRK.B for whatever way LS, or a person, writes a class share."""
    ticker = ticker.strip()
    for mark in SPELLINGS:
        ticker = ticker.replace(mark, OURS)
    return ticker


def known(body: Row, code: str) -> bool:
    """Whether the answer is about a symbol; an unknown one comes back without a block, blank or without prices."""
    block = body.get(f"{code}OutBlock")
    return isinstance(block, dict) and bool(text(block, "symbol"))


def decode_instrument(symbol: str, body: Row) -> Instrument:
    """Read g3104. NYSE and AMEX share an exchange code; only the name tells them apart."""
    block = one(body, "g3104OutBlock")
    venue = tr.US_MARKETS[required(block, "exchcd")][0]
    if venue is Venue.NYSE and any(word in text(block, "exchange_name").upper() for word in AMEX_WORDS):
        venue = Venue.AMEX
    kind = next(
        (k for k in (InstrumentType.ETF, InstrumentType.ETN) if k.name in text(block, "instname").upper()), None
    )
    name, name_en = _names(block)
    return Instrument(symbol, Market.US, venue, Currency.USD, kind or InstrumentType.STOCK, name=name, name_en=name_en)


def decode_listed(venue: Venue, row: Row) -> Instrument | None:
    """Read a row of the g3190 list of `venue`, which does not tell funds from shares; None for another currency."""
    if venue not in tr.US_MARKETS.get(text(row, "exchcd"), ()) or text(row, "currency") != Currency.USD:
        return None
    name, name_en = _names(row)
    return Instrument(our_symbol(required(row, "symbol")), Market.US, venue, Currency.USD, name=name, name_en=name_en)


def _names(row: Row) -> tuple[str, str]:
    """The name in Korean, where there is one, and in English."""
    english = text(row, "engname")
    return text(row, "korname") or english, english


def encode_master(venue: Venue, cursor: str) -> dict[str, str | int]:
    return {
        "delaygb": "R",
        "natcode": "US",
        "exgubun": LISTS[venue],
        "readcnt": MASTER_ROWS,
        "cts_value": cursor,
    }


def decode_quote(symbol: str, body: Row, now: datetime, received_at: datetime) -> Quote | None:
    """Read g3106 as a price snapshot; None when there is no price. US shares have no price limits."""
    block = one(body, "g3106OutBlock")
    last = positive(block, "price")
    if last is None:
        return None
    return Quote(
        symbol=symbol,
        last=last,
        bid=positive(block, "bidho1"),
        ask=positive(block, "offerho1"),
        prev_close=positive(block, "jnilclose"),
        upper_limit=None,
        lower_limit=None,
        volume=whole(block, "volume"),
        at=quoted_at(block, "hotime", now),
        received_at=received_at,
    )


def decode_book(symbol: str, body: Row, now: datetime, received_at: datetime) -> OrderBook:
    block = one(body, "g3106OutBlock")
    bids, asks = levels(block, "bidho", "bidrem"), levels(block, "offerho", "offerrem")
    return OrderBook(symbol, bids, asks, quoted_at(block, "hotime", now), received_at)


def decode_price(body: Row) -> tuple[Decimal | None, str]:
    """(last price, why a buy is barred or "") of g3101."""
    block = one(body, "g3101OutBlock")
    why = ""
    if text(block, "suspend") == "Y":
        why = "거래정지 / halted"
    elif text(block, "sellonly") == SELL_ONLY:
        why = "매도만 가능 / sell only"
    elif text(block, "sellonly") == BARRED:
        why = "매매불가 / not tradable"
    return positive(block, "price"), why


def decode_detail(symbol: str, priced: Row, listed: Row) -> Detail | None:
    """Read g3101 and g3104 together."""
    last, why = decode_price(priced)
    if last is None:
        return None
    price, listing = one(priced, "g3101OutBlock"), one(listed, "g3104OutBlock")
    lot, shares = positive(listing, "bidlotsize2"), positive(listing, "share")
    barred = text(price, "suspend") == "Y" or text(price, "sellonly") == BARRED
    return Detail(
        symbol=symbol,
        last=last,
        open=positive(price, "open"),
        high=positive(price, "high"),
        low=positive(price, "low"),
        prev_close=positive(listing, "pcls"),
        tick_size=positive(listing, "untprc"),
        lot=None if lot is None else int(lot),
        tradable=not barred,
        warning=why,
        high_52w=positive(price, "high52p"),
        low_52w=positive(price, "low52p"),
        per=positive(price, "perv"),
        eps=amount(price, "epsv") if text(price, "epsv") else None,
        listed_shares=None if shares is None else int(shares),
    )


def encode_bars(key: Key, timeframe: Timeframe, count: int, last_day: date) -> tuple[tr.Tr, dict[str, str | int]]:
    """Write g3204 or g3203. The first day asked for lies well before `count` bars, so that the count decides."""
    common = {**key.block, "qrycnt": count, "comp_yn": "N", "edate": f"{last_day:%Y%m%d}", "cts_date": ""}
    if timeframe in PERIODS:
        days = count * {Timeframe.D1: 1.5, Timeframe.W1: 7, Timeframe.MN1: 31}[timeframe]
        sdate = last_day - timedelta(days=int(days) + MARGIN_DAYS)
        period = {"sujung": "Y", "gubun": PERIODS[timeframe], "cts_info": ""}
        return tr.US_DAYS, {**common, "sdate": f"{sdate:%Y%m%d}", **period}
    minutes = timeframe.seconds // 60
    sdate = last_day - timedelta(days=count * minutes * 3 // (REGULAR_MINUTES * 2) + MARGIN_DAYS)
    return tr.US_MINUTES, {**common, "sdate": f"{sdate:%Y%m%d}", "ncnt": minutes, "cts_time": ""}


def encode_table(key: Key, timeframe: Timeframe, last_day: date) -> dict[str, str | int]:
    """Write g3103."""
    return {**key.block, "gubun": PERIODS[timeframe], "date": f"{last_day:%Y%m%d}"}


def decode_table(symbol: str, timeframe: Timeframe, found: list[Row], now: datetime) -> list[Bar]:
    """Read rows of g3103, newest first, as bars, oldest first.

    The table does not say whether it is adjusted for splits, but each row tells its change: rows that follow one another
    must agree on the price between them.

    Raises:
        WireError: they do not; what lies before is not comparable.
    """
    for row, older in pairwise(found):
        change = abs(amount(row, "diff")) * SIGNS.get(text(row, "sign"), 0)
        if amount(row, "price") - change != amount(older, "price"):
            raise WireError(tr.LS, "-", f"g3103: {symbol} is not adjusted before {text(row, 'chedate')}")
    rows = [{**row, "date": row.get("chedate"), "close": row.get("price")} for row in reversed(found)]
    return decode_days(symbol, timeframe, rows, "volume", SESSION, now)


def encode_tick_chart(key: Key, count: int) -> dict[str, str | int]:
    """Write g3202: the newest `count` trades, a bar each."""
    dates: dict[str, str | int] = {"sdate": "", "edate": "99999999", "cts_seq": 0}
    return {**key.block, "ncnt": 1, "qrycnt": count, "comp_yn": "N", **dates}


def decode_bar_of_one(symbol: str, row: Row, received_at: datetime) -> Tick:
    """Read a row of g3202 that is one trade; its times are New York's."""
    at = instant(calendar_day(required(row, "date")), required(row, "loctime"), NEW_YORK)
    return Tick(symbol, amount(row, "close"), whole(row, "exevol"), at, received_at)


def encode_trades(key: Key, count: int) -> dict[str, str | int]:
    """Write g3102: the newest `count` trades."""
    return {"delaygb": "R", "keysymbol": key.joined, "exchcd": key.exchange, "readcnt": count, "cts_seq": 0}


def decode_trade(symbol: str, row: Row, received_at: datetime) -> Tick:
    """Read a row of g3102; its Korean date and time are used."""
    at = instant(calendar_day(required(row, "kordate")), required(row, "kortime"))
    return Tick(symbol, amount(row, "price"), whole(row, "exevol"), at, received_at)


def decode_tick(body: Row, received_at: datetime) -> Tick:
    """Read GSC; its Korean date and time are used."""
    return Tick(
        symbol=our_symbol(required(body, "symbol")),
        price=amount(body, "price"),
        quantity=whole(body, "trdq"),
        at=instant(calendar_day(required(body, "kordate")), required(body, "kortm"), KST),
        received_at=received_at,
    )


def decode_pushed_book(body: Row, now: datetime, received_at: datetime) -> OrderBook:
    """Read GSH."""
    bids, asks = levels(body, "bidho", "bidrem"), levels(body, "offerho", "offerrem")
    return OrderBook(our_symbol(required(body, "symbol")), bids, asks, quoted_at(body, "kortime", now), received_at)
