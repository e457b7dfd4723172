"""Candles: bars of the tape cut as LS charts name them: by date, or for minutes by their END (ls.md §3.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby

from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.formats import KST, millions
from shared.domain.market import Bar, Timeframe

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
    def turnover(self) -> Decimal:
        """At the bar's middle price: bars do not keep their turnover."""
        return (self.high + self.low + self.close) / 3 * self.volume

    @property
    def value(self) -> int:
        """Million KRW."""
        return millions(self.turnover)


# gubun -> (what a day belongs to, days it can hold)
_PERIODS: dict[str, tuple[Callable[[date], object], int]] = {
    "2": (lambda on: on, 1),
    "3": (lambda on: on.isocalendar()[:2], 7),
    "4": (lambda on: (on.year, on.month), 31),
    "5": (lambda on: on.year, 366),
}
PERIODS = frozenset(_PERIODS)


def day_candles(
    exchange: Exchange, symbol: str, gubun: str, count: int, newest: str, zone: tzinfo = KST
) -> list[Candle]:
    """At least `count` candles of days (gubun 2), weeks, months or years where there are so many, oldest first.

    `newest` (YYYYMMDD, or 99999999) is the last day wanted. A candle is named by its last day.
    """
    period, span = _PERIODS[gubun]
    days = exchange.bars(symbol, Timeframe.D1, min(count * span, MOST_BARS), end_of_day(newest, zone))
    groups = [list(group) for _, group in groupby(days, key=lambda bar: period(_day(bar, zone)))]
    return [_merged(group, f"{_day(group[-1], zone):%Y%m%d}") for group in groups]


def minute_candles(
    exchange: Exchange, symbol: str, minutes: int, count: int, until: datetime | None = None, zone: tzinfo = KST
) -> list[Candle]:
    """At least `count` candles of so many minutes where there are so many, oldest first.

    `until`: of bars that start at or before it.
    """
    whole = WHOLE_TIMEFRAMES.get(minutes)
    wanted = min(count * (1 if whole else minutes), MOST_BARS)
    bars = exchange.bars(symbol, whole or Timeframe.M1, wanted, until)
    span = timedelta(minutes=minutes)

    def end_of(bar: Bar) -> datetime:
        start = bar.start.astimezone(zone)
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + span * ((start - midnight) // span + 1)

    return [_merged(list(group), f"{end:%Y%m%d%H%M%S}") for end, group in groupby(bars, key=end_of)]


def end_of_day(day: str, zone: tzinfo = KST) -> datetime | None:
    """The last instant of YYYYMMDD; None for 99999999 and whatever else is no date: the newest."""
    try:
        start = datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
    except ValueError:
        return None
    return start + timedelta(days=1, microseconds=-1)


def page_of(
    candles: list[Candle], *, count: int, first: str, newest: str, digits: int
) -> tuple[list[tuple[Candle, Candle]], str]:
    """Return the newest `count` candles between the labels, each after the one before it, and the label of the next
    older one ("" when none)."""
    last = newest.ljust(digits, "9")
    pairs = zip([*candles[:1], *candles], candles, strict=False)
    wanted = [(before, one) for before, one in pairs if first <= one.label <= last]
    older = wanted[-count - 1][1].label if len(wanted) > count else ""
    return wanted[-count:], older


def last_days(candles: list[Candle], nday: str) -> list[Candle]:
    """Keep the newest `nday` days; blank and 0 keep all."""
    if not nday.isdigit() or int(nday) == 0:
        return candles
    kept = sorted({candle.label[:8] for candle in candles})[-int(nday) :]
    return [candle for candle in candles if candle.label[:8] in kept]


def _merged(bars: list[Bar], label: str) -> Candle:
    return Candle(
        label,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )


def _day(bar: Bar, zone: tzinfo) -> date:
    return bar.start.astimezone(zone).date()
