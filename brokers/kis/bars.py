"""Longer bars out of the minute bars KIS serves. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.market import Bar, Timeframe


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
