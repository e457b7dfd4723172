"""Bars out of KIS's chart rows, and longer bars out of its minute bars. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from brokers.kis.codec import Row, amount, at_local, calendar_day, instant, positive, required, whole
from shared.domain.market import Bar, Timeframe

PERIODS = {Timeframe.D1: "D", Timeframe.W1: "W", Timeframe.MN1: "M"}  # what the daily transactions serve


@dataclass(frozen=True, slots=True)
class ChartRow:
    """What a chart names its fields; `clock` is "" where a row stands for a day or longer."""

    day: str
    clock: str
    open: str
    high: str
    low: str
    close: str
    volume: str


@dataclass(frozen=True, slots=True)
class Hours:
    """The regular session, which dates a bar of a day or longer."""

    zone: ZoneInfo
    opens: time
    closes: time

    def period(self, day: date, timeframe: Timeframe) -> tuple[datetime, datetime]:
        """First opening and last close of the day, week (Monday) or month that holds `day`; closed days not counted."""
        first = period_start(day, timeframe)
        last = period_start(first + timedelta(days=32), timeframe) - timedelta(days=1)
        if timeframe is Timeframe.D1:
            last = first
        elif timeframe is Timeframe.W1:
            last = first + timedelta(days=4)
        return at_local(first, self.opens, self.zone), at_local(last, self.closes, self.zone)


def period_start(day: date, timeframe: Timeframe) -> date:
    if timeframe is Timeframe.W1:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if timeframe is Timeframe.MN1 else day


def read_bars(
    rows: list[Row], names: ChartRow, symbol: str, timeframe: Timeframe, hours: Hours, now: datetime
) -> list[Bar]:
    """Read chart rows in the order they came; a row without an open or a close (halted, blank) is no bar."""
    found: list[Bar] = []
    for row in rows:
        opened, close = positive(row, names.open), positive(row, names.close)
        if opened is None or close is None:
            continue
        if names.clock:
            start = instant(required(row, names.day), required(row, names.clock), hours.zone)
            end = start + timedelta(seconds=timeframe.seconds)
        else:
            start, end = hours.period(calendar_day(required(row, names.day)), timeframe)
        found.append(
            Bar(
                symbol=symbol,
                timeframe=timeframe,
                start=start,
                open=opened,
                high=amount(row, names.high),
                low=amount(row, names.low),
                close=close,
                volume=whole(row, names.volume),
                closed=end <= now,
            )
        )
    return found


def merged(bars: list[Bar], timeframe: Timeframe, now: datetime, zone: ZoneInfo) -> list[Bar]:
    """Merge bars (oldest first) into `timeframe`, cut at multiples of it from local midnight.

    The first bucket is left out unless its own first minute is there: its high and low would be of a part only.
    """
    if not bars or bars[0].timeframe is timeframe:
        return bars
    buckets: dict[datetime, list[Bar]] = {}
    for bar in bars:
        buckets.setdefault(bucket_start(bar.start, timeframe, zone), []).append(bar)
    first = next(iter(buckets))
    if buckets[first][0].start != first:
        del buckets[first]
    return [_merge(start, parts, timeframe, now) for start, parts in buckets.items()]


def bucket_start(at: datetime, timeframe: Timeframe, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return (midnight + timedelta(seconds=seconds - seconds % timeframe.seconds)).astimezone(UTC)


def _merge(start: datetime, parts: list[Bar], timeframe: Timeframe, now: datetime) -> Bar:
    return Bar(
        symbol=parts[0].symbol,
        timeframe=timeframe,
        start=start,
        open=parts[0].open,
        high=max(bar.high for bar in parts),
        low=min(bar.low for bar in parts),
        close=parts[-1].close,
        volume=sum(bar.volume for bar in parts),
        closed=start + timedelta(seconds=timeframe.seconds) <= now,
    )
