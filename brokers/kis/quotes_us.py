"""Prices, charts, calendar and stream keys of US shares in KIS's words (kis.md §3.12, §3.13, §5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.kis import tr
from brokers.kis.charts import PERIODS, ChartRow, Hours, period_start, read_bars
from brokers.kis.codec import (
    Row,
    amount,
    instant,
    instant_near,
    levels,
    number,
    one,
    plain_symbol,
    positive,
    required,
    rows,
    share_class,
    text,
    whole,
)
from brokers.kis.dialect import Ask, Place, Registration, not_offered
from shared.domain.account import Market
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, BookLevel, Detail, OrderBook, Quote, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import OrderSession

NEW_YORK = ZoneInfo("America/New_York")
HOURS = Hours(NEW_YORK, time(9, 30), time(16, 0))
MINUTES = {Timeframe.M1: "1", Timeframe.M5: "5", Timeframe.M15: "15", Timeframe.H1: "60"}
GUBUN = {"D": "0", "W": "1", "M": "2"}
DAYS = ChartRow("xymd", "", "open", "high", "low", "clos", "tvol")
MINUTE_ROWS = ChartRow("xymd", "xhms", "open", "high", "low", "last", "evol")
TRADABLE = "매매 가능"  # e_ordyn; anything else is a halt
SEARCHED = ("PRICECUR", "RATE", "VALX", "SHAR", "VOLUME", "AMT", "EPS", "PER")  # the conditions of a search
USA = "840"
TOGETHER = 10  # symbols of one multprice call


class UsQuotes:
    market = Market.US
    zone = NEW_YORK

    def __init__(self, mock: bool) -> None:
        self._mock = mock
        self.together = 1 if mock else TOGETHER

    def quotes(self, places: Sequence[Place]) -> Ask:
        """Every slot is named, the empty ones with blanks."""
        slots = {f"{name}_{n:02d}": "" for n in range(1, TOGETHER + 1) for name in ("EXCD", "SYMB")}
        for n, (symbol, venue) in enumerate(places, 1):
            slots |= {f"EXCD_{n:02d}": tr.VENUE_TO_QUOTE[venue], f"SYMB_{n:02d}": share_class(symbol)}
        return Ask(tr.US_PRICES, {"AUTH": "", "NREC": str(len(places)), **slots}, "output2")

    def read_quotes(
        self, places: Sequence[Place], body: Row, market_now: datetime, received_at: datetime
    ) -> list[Quote]:
        """Rows are told by exchange and symbol, never by their order; one that was not asked for is left out."""
        asked = {(tr.VENUE_TO_QUOTE[venue], share_class(symbol)): symbol for symbol, venue in places}
        found = []
        for row in rows(body, "output2"):
            symbol = asked.get((text(row, "excd"), text(row, "symb")))
            quote = None if symbol is None else self._quote(symbol, row, market_now, received_at)
            found += [] if quote is None else [quote]
        return found

    def quote(self, symbol: str, venue: Venue, session: OrderSession) -> Ask:
        return Ask(tr.US_PRICE, where(symbol, venue, session))

    def read_quote(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        return self._quote(symbol, one(body, "output"), market_now, received_at)

    def _quote(self, symbol: str, output: Row, market_now: datetime, received_at: datetime) -> Quote | None:
        last = positive(output, "last")
        if last is None:  # an unknown symbol is answered with blanks and rt_cd 0
            return None
        volume = number(output, "tvol")
        return Quote(
            symbol=symbol,
            last=last,
            bid=None,
            ask=None,
            prev_close=positive(output, "base"),
            upper_limit=None,
            lower_limit=None,
            volume=None if volume is None else int(volume),
            at=market_now,  # the answer carries no time
            received_at=received_at,
        )

    def book(self, symbol: str, venue: Venue, session: OrderSession) -> Ask:
        return Ask(tr.US_BOOK, where(symbol, venue, session))

    def read_book(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> OrderBook:
        head, output = one(body, "output1"), one(body, "output2")
        at = instant(text(head, "dymd"), text(head, "dhms"), NEW_YORK) if text(head, "dhms") else market_now
        return OrderBook(
            symbol=symbol,
            bids=tuple(BookLevel(price, size) for price, size in levels(output, "pbid", "vbid")),
            asks=tuple(BookLevel(price, size) for price, size in levels(output, "pask", "vask")),
            at=at,
            received_at=received_at,
        )

    def detail(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.US_DETAIL, where(symbol, venue))

    def read_detail(self, symbol: str, body: Row) -> Detail | None:
        row = one(body, "output")
        last = positive(row, "last")
        if last is None:
            return None
        words, lot, shares = text(row, "e_ordyn"), number(row, "vnit"), number(row, "shar")
        return Detail(
            symbol=symbol,
            last=last,
            open=positive(row, "open"),
            high=positive(row, "high"),
            low=positive(row, "low"),
            prev_close=positive(row, "base"),
            tick_size=positive(row, "e_hogau"),
            lot=None if lot is None else int(lot),
            tradable=words == TRADABLE if words else None,
            warning="" if words == TRADABLE else words,
            high_52w=positive(row, "h52p"),
            low_52w=positive(row, "l52p"),
            per=number(row, "perx"),
            eps=number(row, "epsx"),
            listed_shares=None if shares is None else int(shares),
        )

    def bar_source(self, timeframe: Timeframe) -> Timeframe:
        return timeframe

    def bars(self, symbol: str, venue: Venue, timeframe: Timeframe, before: datetime, market_now: datetime) -> Ask:
        fields, first = where(symbol, venue), before >= market_now
        if timeframe in PERIODS:
            day = "" if first else f"{before.astimezone(NEW_YORK):%Y%m%d}"
            return Ask(tr.US_DAILY, {**fields, "GUBN": GUBUN[PERIODS[timeframe]], "BYMD": day, "MODP": "1"})
        key = "" if first else f"{before.astimezone(NEW_YORK):%Y%m%d%H%M%S}"
        page = {"NMIN": MINUTES[timeframe], "PINC": "1", "NEXT": "" if first else "1", "NREC": "120", "FILL": ""}
        return Ask(tr.US_MINUTE, {**fields, **page, "KEYB": key})

    def read_bars(self, symbol: str, venue: Venue, timeframe: Timeframe, body: Row, market_now: datetime) -> list[Bar]:
        names = DAYS if timeframe in PERIODS else MINUTE_ROWS
        return read_bars(rows(body, "output2"), names, symbol, timeframe, HOURS, market_now)

    def trades(self, symbol: str, venue: Venue) -> Ask:
        return Ask(tr.US_TRADES, {**where(symbol, venue), "TDAY": "1", "KEYB": ""})

    def read_trades(self, symbol: str, body: Row, market_now: datetime, received_at: datetime) -> list[Tick]:
        """The official sample finds the rows in output1, other clients in use in output2: they are where the times are."""
        blocks = [[row for row in rows(body, name) if text(row, "khms")] for name in ("output1", "output2")]
        return [
            Tick(
                symbol=symbol,
                price=amount(row, "last"),
                quantity=whole(row, "evol"),
                at=instant_near(required(row, "khms"), market_now),
                received_at=received_at,
            )
            for row in blocks[0] or blocks[1]
        ]

    def earlier(self, timeframe: Timeframe, before: datetime, new: list[Bar], market_now: datetime) -> datetime | None:
        if not new:
            return None
        oldest = min(bar.start for bar in new).astimezone(NEW_YORK)
        if timeframe in PERIODS:
            day = period_start(oldest.date(), timeframe) - timedelta(days=1)
            return datetime.combine(day, HOURS.closes, NEW_YORK).astimezone(UTC)
        return (oldest - timedelta(seconds=timeframe.seconds)).astimezone(UTC)

    def listed(self, venue: Venue, low: Decimal, high: Decimal) -> Ask:
        fields = {f"CO_{part}_{name}": "" for name in SEARCHED for part in ("YN", "ST", "EN")}
        fields |= {"CO_YN_PRICECUR": "1", "CO_ST_PRICECUR": f"{low:f}", "CO_EN_PRICECUR": f"{high:f}"}
        return Ask(tr.US_SEARCH, {"AUTH": "", "EXCD": tr.VENUE_TO_QUOTE[venue], **fields, "KEYB": ""}, "output2")

    def read_listed(self, venue: Venue, body: Row) -> tuple[list[Instrument], int]:
        """A search does not tell funds from shares: ask get_instrument for the type."""
        found = [
            Instrument(
                plain_symbol(required(row, "symb")),
                Market.US,
                venue,
                Currency.USD,
                name=text(row, "name") or text(row, "ename"),
                name_en=text(row, "ename"),
            )
            for row in rows(body, "output2")
        ]
        head = one(body, "output1")
        return found, whole(head, "trec") if found or text(head, "trec") else 0

    def open_days(self, day: date) -> Ask:
        fields = {"TRAD_DT": f"{day:%Y%m%d}", "CTX_AREA_NK": "", "CTX_AREA_FK": ""}
        return Ask(tr.US_SETTLEMENT_DAYS, fields, suffix="")

    def read_open_days(self, day: date, pages: list[Row]) -> dict[date, bool]:
        """The answer lists the markets that settle trades of the day; a closed one is not there (kis.md §3.13)."""
        return {day: any(text(row, "tr_natn_cd") == USA for page in pages for row in rows(page, "output"))}

    def feed(self, symbol: str, venue: Venue, book: bool, session: OrderSession) -> Registration:
        if self._mock:
            raise not_offered(
                "모의투자에는 미국 실시간 시세가 없습니다", "no US stream of prices in mock trading: poll quotes"
            )
        prefix = "R" if session is OrderSession.DAY_MARKET else "D"  # D: free and not delayed for the US (kis.md §5.3)
        return (tr.US_BOOKS if book else tr.US_TICKS), f"{prefix}{quote_code(venue, session)}{share_class(symbol)}"


def where(symbol: str, venue: Venue, session: OrderSession = OrderSession.REGULAR) -> dict[str, str]:
    return {"AUTH": "", "EXCD": quote_code(venue, session), "SYMB": share_class(symbol)}


def quote_code(venue: Venue, session: OrderSession) -> str:
    table = tr.VENUE_TO_DAY_QUOTE if session is OrderSession.DAY_MARKET else tr.VENUE_TO_QUOTE
    if venue not in table:
        raise not_offered(f"{venue}은(는) 미국 거래소가 아닙니다", f"{venue} is not a US exchange")
    return table[venue]
