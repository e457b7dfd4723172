"""Chart TRs: t8410 days to years, t8412 minutes (ls.md §3.3). Rows ascend; each next page is older."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import KST, Call, Reply, listed, millions, sign_of
from brokers.paper.ls_wire.refusals import Refusal, bad_field
from shared.domain.market import Bar, Timeframe

MOST_ROWS = 500
DAYS_KEPT, MINUTES_KEPT = 4000, 20_000
WHOLE_TIMEFRAMES = {1: Timeframe.M1, 5: Timeframe.M5, 15: Timeframe.M15, 60: Timeframe.H1}


@dataclass(frozen=True, slots=True)
class Candle:
    """A row of a chart. `label` is its date (YYYYMMDD) or, for minutes, date and END time (YYYYMMDDHHMMSS)."""

    label: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    @property
    def value(self) -> int:
        """Million KRW, at the bar's middle price: bars do not keep their turnover."""
        return millions((self.high + self.low + self.close) / 3 * self.volume)


_PERIOD: dict[str, Callable[[date], object]] = {
    "2": lambda on: on,
    "3": lambda on: on.isocalendar()[:2],
    "4": lambda on: (on.year, on.month),
    "5": lambda on: on.year,
}


def t8410(call: Call) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    period = _PERIOD.get(call.asked.text("gubun"))
    if period is None or call.asked.text("comp_yn") == "Y":
        raise Refusal("IGW40013", "조회구분(gubun) 확인이 필요합니다.", 500)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, DAYS_KEPT)
    groups = [list(group) for _, group in groupby(days, key=lambda bar: period(_day(bar)))]
    candles = [_merged(group, f"{_day(group[-1]):%Y%m%d}") for group in groups]
    page, older = _page(call, candles, call.asked.text("cts_date") or call.asked.text("edate"), digits=8)
    head = block("t8410OutBlock", cts_date=older, rec_count=len(page), **_day_fields(call, listing.symbol, days))
    rows = [_row("t8410OutBlock1", one, before, date=one.label) for before, one in page]
    return Reply({"t8410OutBlock": head, "t8410OutBlock1": rows}, cont_key=older)


def t8412(call: Call) -> Reply:
    """Without header `tr_cont: Y` the newest page is served whatever the body cursor says."""
    listing = listed(call, call.asked.text("shcode"))
    minutes = call.asked.whole("ncnt")
    if minutes < 1:
        raise bad_field("ncnt")
    if not call.asked.text("edate"):
        raise Refusal("IGW40013", "종료일자(edate) 확인이 필요합니다.", 500)
    candles = _minutes(call, listing.symbol, minutes)
    cursor = call.asked.text("cts_date") + call.asked.text("cts_time")[:6] if call.cont else ""
    page, older = _page(call, candles, cursor or call.asked.text("edate"), digits=14)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 2)
    fields = _day_fields(call, listing.symbol, days)
    known = {name: fields[name] for name in fields if not name.startswith("svi_")}
    head = block("t8412OutBlock", cts_date=older[:8], cts_time=older[8:], rec_count=len(page), **known)
    rows = [_row("t8412OutBlock1", one, before, date=one.label[:8], time=one.label[8:]) for before, one in page]
    return Reply({"t8412OutBlock": head, "t8412OutBlock1": rows}, cont_key=older)


def _minutes(call: Call, symbol: str, minutes: int) -> list[Candle]:
    frame = WHOLE_TIMEFRAMES.get(minutes, Timeframe.M1)
    bars = call.exchange.bars(symbol, frame, MINUTES_KEPT)
    span = timedelta(minutes=minutes)

    def end_of(bar: Bar) -> datetime:
        start = bar.start.astimezone(KST)
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + span * ((start - midnight) // span + 1)

    candles = [_merged(list(group), f"{end:%Y%m%d%H%M%S}") for end, group in groupby(bars, key=end_of)]
    days_wanted = call.asked.text("nday")
    if days_wanted.isdigit() and int(days_wanted) > 0:
        kept = sorted({candle.label[:8] for candle in candles})[-int(days_wanted) :]
        candles = [candle for candle in candles if candle.label[:8] in kept]
    return candles


def _page(call: Call, candles: list[Candle], newest: str, *, digits: int) -> tuple[list[tuple[Candle, Candle]], str]:
    """Return the newest `qrycnt` rows not after `newest`, each after the row before it, and the label of the next
    older one ("" when none)."""
    count = min(max(call.asked.whole("qrycnt"), 1), MOST_ROWS)
    last = newest.ljust(digits, "9")
    start, end = call.asked.text("sdate"), call.asked.text("edate")
    first = "" if start == end else start
    pairs = zip([*candles[:1], *candles], candles, strict=False)
    wanted = [(before, one) for before, one in pairs if first <= one.label <= last]
    older = wanted[-count - 1][1].label if len(wanted) > count else ""
    return wanted[-count:], older


def _merged(bars: list[Bar], label: str) -> Candle:
    return Candle(
        label,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )


def _day(bar: Bar) -> date:
    return bar.start.astimezone(KST).date()


def _row(name: str, candle: Candle, before: Candle, **labels: str) -> Block:
    return block(
        name,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        jdiff_vol=candle.volume,
        value=candle.value,
        sign=sign_of(candle.close, before.close, None),
        **labels,
    )


def _day_fields(call: Call, symbol: str, days: list[Bar]) -> dict[str, Value]:
    """Yesterday (ji…), today (di…), limits and session times: the head of both charts."""
    trade = call.exchange.quote(symbol)
    limits = call.exchange.price_limits(symbol)
    lower, upper = limits or (Decimal(0), Decimal(0))
    fields: dict[str, Value] = {
        "shcode": symbol,
        "disiga": trade.open,
        "dihigh": trade.high,
        "dilow": trade.low,
        "diclose": trade.price,
        "jiclose": trade.prev_close,
        "highend": upper,
        "lowend": lower,
        "s_time": f"{time(9):%H%M%S}",
        "e_time": f"{time(15, 30):%H%M%S}",
        "dshmin": "10",
    }
    closed = [bar for bar in days if bar.closed]
    if closed:
        day = closed[-1]
        fields |= {"jisiga": day.open, "jihigh": day.high, "jilow": day.low, "jivolume": day.volume}
    return fields
