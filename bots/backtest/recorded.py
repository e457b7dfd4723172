"""Recorded bars as arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bots.bars import bar_start
from bots.rules.series import Bars
from shared.domain.market import Timeframe
from shared.models import PriceBar


def utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def ohlc(row: PriceBar) -> tuple[float, ...]:
    prices = (float(one) for one in (row.open, row.high, row.low, row.close))
    return (row.start.timestamp(), *prices, float(row.volume))


def bars_of(rows: Sequence[tuple[float, ...]]) -> Bars:
    table = np.array(rows, np.float64).reshape(-1, 6).T
    return Bars(table[0].astype(np.int64), *(column.copy() for column in table[1:]))


def part(bars: Bars, which: Any) -> Bars:
    return Bars(
        bars.starts[which], bars.open[which], bars.high[which], bars.low[which], bars.close[which], bars.volume[which]
    )


def bar_at(bars: Bars, start: int) -> tuple[float, ...] | Any | None:
    place = int(np.searchsorted(bars.starts, start))
    if place >= len(bars) or int(bars.starts[place]) != start:
        return None
    return tuple(float(one[place]) for one in (bars.open, bars.high, bars.low, bars.close, bars.volume))


def merged(minutes: Bars, frame: Timeframe, zone: ZoneInfo) -> Bars:
    """Minute bars as the bot's longer ones."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, start in enumerate(minutes.starts):
        groups[int(bar_start(utc(int(start)), frame, zone).timestamp())].append(place)
    one = minutes
    return bars_of(
        [
            (start, one.open[at[0]], one.high[at].max(), one.low[at].min(), one.close[at[-1]], one.volume[at].sum())
            for start, at in groups.items()
        ]
    )
