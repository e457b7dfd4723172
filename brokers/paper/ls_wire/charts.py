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
MOST_BARS = 20_000  # read at once for one page
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


# gubun -> (what a day belongs to, days it can hold)
_PERIODS: dict[str, tuple[Callable[[date], object], int]] = {
    "2": (lambda on: on, 1),
    "3": (lambda on: on.isocalendar()[:2], 7),
    "4": (lambda on: (on.year, on.month), 31),
    "5": (lambda on: on.year, 366),
}


def t8410(call: Call) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    known = _PERIODS.get(call.asked.text("gubun"))
    if known is None or call.asked.text("comp_yn") == "Y":
        raise Refusal("IGW40013", "조회구분(gubun) 확인이 필요합니다.", 500)
    period, span = known
    newest = call.cursor("cts_date") or call.asked.text("edate")
    count = min((_count(call) + 2) * span, MOST_BARS)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, count, _end_of_day(newest))
    groups = [list(group) for _, group in groupby(days, key=lambda bar: period(_day(bar)))]
    candles = [_merged(group, f"{_day(group[-1]):%Y%m%d}") for group in groups]
    page, older = _page(call, candles, newest, digits=8)
    head = block("t8410OutBlock", cts_date=older, rec_count=len(page), **_day_fields(call, listing.symbol))
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
    cursor = call.asked.text("cts_date") + call.asked.text("cts_time")[:6] if call.cont else ""
    newest = cursor or call.asked.text("edate")
    page, older = _page(call, _minutes(call, listing.symbol, minutes, newest), newest, digits=14)
    fields = _day_fields(call, listing.symbol)
    head = block("t8412OutBlock", cts_date=older[:8], cts_time=older[8:], rec_count=len(page), **fields)
    rows = [_row("t8412OutBlock1", one, before, date=one.label[:8], time=one.label[8:]) for before, one in page]
    return Reply({"t8412OutBlock": head, "t8412OutBlock1": rows}, cont_key=older)


def _minutes(call: Call, symbol: str, minutes: int, newest: str) -> list[Candle]:
    whole = WHOLE_TIMEFRAMES.get(minutes)
    count = min((_count(call) + 2) * (1 if whole else minutes), MOST_BARS)
    if len(newest) == 14:  # a cursor: the newest bar ends by it
        until: datetime | None = _at(newest) - timedelta(minutes=1)
    else:
        until = _end_of_day(newest)
    bars = call.exchange.bars(symbol, whole or Timeframe.M1, count, until)
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


def _count(call: Call) -> int:
    return min(max(call.asked.whole("qrycnt"), 1), MOST_ROWS)


def _at(label: str) -> datetime:
    try:
        return datetime.strptime(label, "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        raise bad_field("cts_time") from None


def _end_of_day(day: str) -> datetime | None:
    """The last instant of YYYYMMDD in KST; None for 99999999 and whatever else is no date: the newest."""
    try:
        start = datetime.strptime(day, "%Y%m%d").replace(tzinfo=KST)
    except ValueError:
        return None
    return start + timedelta(days=1, microseconds=-1)


def _page(call: Call, candles: list[Candle], newest: str, *, digits: int) -> tuple[list[tuple[Candle, Candle]], str]:
    """Return the newest `qrycnt` rows not after `newest`, each after the row before it, and the label of the next
    older one ("" when none)."""
    count = _count(call)
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


def _day_fields(call: Call, symbol: str) -> dict[str, Value]:
    """Yesterday (ji…), today (di…), limits and session times: the head of both charts."""
    trade = call.exchange.quote(symbol)
    lower, upper = call.exchange.price_limits(symbol) or (Decimal(0), Decimal(0))
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
    before = [bar for bar in call.exchange.bars(symbol, Timeframe.D1, 2) if bar.closed]
    if before:
        day = before[-1]
        fields |= {"jisiga": day.open, "jihigh": day.high, "jilow": day.low, "jivolume": day.volume}
    return fields
