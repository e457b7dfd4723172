"""Synthetic tape: prices as a pure function of (seed, symbol, time), every session always open.

A day's bar is drawn first (days swing slowly around the listing's anchor), cut into hours, those into minutes, those
into prints: bars of every timeframe agree with the prints by construction, and any instant can be reached at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from brokers.paper.clock import Sessions
from brokers.paper.listings import LISTINGS, Listing
from brokers.paper.prints import MINUTE, Print, RawBar, merge
from brokers.paper.walk import Shape, cut, steps
from shared.domain.account import Market
from shared.domain.market import Timeframe
from shared.domain.order import Side
from shared.domain.venue_rules import tick_size

ZONES = {Market.US: ZoneInfo("America/New_York"), Market.KRX: ZoneInfo("Asia/Seoul")}
HOUR = timedelta(hours=1)
# Days stay within SWING of the anchor, plus at most WICK beyond: about ±2 %.
_SWING = ((23.0, 0.006), (7.0, 0.003))  # (period in days, share of the anchor)
_DAY_NOISE = 0.003
_WICK = (0.004, 0.004)  # a day reaches at least, and up to this much more, beyond open and close


def midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=zone).astimezone(UTC)


def floor_to(at: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


class SyntheticSource:
    sessions = Sessions.ALWAYS
    starts_at: datetime | None = None

    def __init__(self, seed: str = "1", listings: dict[str, Listing] | None = None) -> None:
        self.spec = f"synthetic:{seed}"
        self.listings = LISTINGS if listings is None else listings
        self._seed = seed
        self._day = lru_cache(maxsize=16_384)(self._draw_day)
        self._hours = lru_cache(maxsize=512)(self._cut_day)
        self._minutes = lru_cache(maxsize=2_048)(self._cut_hour)
        self._minute = lru_cache(maxsize=512)(self._cut_minute)

    def open_at(self, symbol: str, at: datetime) -> bool:
        return symbol in self.listings

    def session(self, symbol: str, at: datetime) -> tuple[datetime, datetime] | None:
        return None

    def prints(self, symbol: str, minute: datetime) -> tuple[Print, ...]:
        return self._minute(symbol, minute)

    def bar(self, symbol: str, timeframe: Timeframe, start: datetime) -> RawBar | None:
        if timeframe is Timeframe.D1:
            return self._raw(symbol, self._day(symbol, start.astimezone(self._zone(symbol)).date()))
        if timeframe is Timeframe.H1:
            return self._raw(symbol, self._hour(symbol, start))
        ends = start + timedelta(seconds=timeframe.seconds)
        return merge(self._raw(symbol, self._minute_shape(symbol, at)) for at in self.minutes(symbol, start, ends))

    def starts_back(self, symbol: str, timeframe: Timeframe, at: datetime) -> Iterator[datetime]:
        if timeframe is Timeframe.D1:
            zone = self._zone(symbol)
            on = at.astimezone(zone).date()
            while True:
                yield midnight(on, zone)
                on -= timedelta(days=1)
        start = floor_to(at, timeframe.seconds)
        while True:
            yield start
            start -= timedelta(seconds=timeframe.seconds)

    def minutes(self, symbol: str, start: datetime, end: datetime) -> Iterator[datetime]:
        while start < end:
            yield start
            start += MINUTE

    # -- from days down to prints; every step is cached and depends on its arguments only

    def _zone(self, symbol: str) -> ZoneInfo:
        return ZONES[self.listings[symbol].market]

    def _rng(self, symbol: str, what: str, when: object) -> Random:
        return Random(f"{self._seed}|{symbol}|{what}|{when}")

    @lru_cache(maxsize=64)  # noqa: B019 - one source lives as long as its tape
    def _tick(self, symbol: str) -> Decimal:
        # Prices stay within ±2 % of an anchor that stands well inside its tick bucket, so one tick serves for all days.
        one = self.listings[symbol]
        board = one.board or "KOSPI"
        return tick_size(one.market, one.anchor, date(2026, 1, 2), instrument_type=one.type, board=board)

    def _level(self, symbol: str, on: date) -> int:
        """The price in ticks at which the local day `on` begins."""
        phases = self._rng(symbol, "phases", "")
        swing = sum(
            share * math.sin(2 * math.pi * (on.toordinal() / period + phases.random())) for period, share in _SWING
        )
        noise = _DAY_NOISE * (2 * self._rng(symbol, "level", on).random() - 1)
        return round(float(self.listings[symbol].anchor / self._tick(symbol)) * (1 + swing + noise))

    def _draw_day(self, symbol: str, on: date) -> Shape:
        rng = self._rng(symbol, "day", on)
        first, last = self._level(symbol, on), self._level(symbol, on + timedelta(days=1))
        least, more = _WICK
        high = max(first, last) + max(2, round(first * (least + more * rng.random())))
        low = min(first, last) - max(2, round(first * (least + more * rng.random())))
        return Shape(first, high, low, last, int(self.listings[symbol].daily_volume * (0.7 + 0.6 * rng.random())))

    def _cut_day(self, symbol: str, on: date) -> list[Shape]:
        zone = self._zone(symbol)
        hours = (midnight(on + timedelta(days=1), zone) - midnight(on, zone)) // HOUR  # 23 or 25 when clocks change
        return cut(self._day(symbol, on), hours, self._rng(symbol, "hours", on), swing=0.2, wick=0.15)

    def _hour(self, symbol: str, start: datetime) -> Shape:
        zone = self._zone(symbol)
        on = start.astimezone(zone).date()
        return self._hours(symbol, on)[(start - midnight(on, zone)) // HOUR]

    def _cut_hour(self, symbol: str, start: datetime) -> list[Shape]:
        return cut(
            self._hour(symbol, start), 60, self._rng(symbol, "minutes", start.isoformat()), swing=0.25, wick=0.35
        )

    def _minute_shape(self, symbol: str, minute: datetime) -> Shape:
        hour = floor_to(minute, 3600)
        return self._minutes(symbol, hour)[(minute - hour) // MINUTE]

    def _cut_minute(self, symbol: str, minute: datetime) -> tuple[Print, ...]:
        rng = self._rng(symbol, "prints", minute.isoformat())
        # One print in every second at the symbol's own fraction, so that any ten seconds hold ten; extras between.
        phase = int(self._rng(symbol, "phase", "").random() * 450)
        offsets = sorted([s * 1000 + phase for s in range(60)] + [
            s * 1000 + phase + 500 for s in range(60) if rng.random() < 0.4
        ])  # fmt: skip
        tick, prints, last = self._tick(symbol), [], 0
        side = Side.BUY
        for offset, (price, quantity) in zip(
            offsets, steps(self._minute_shape(symbol, minute), len(offsets), rng), strict=True
        ):
            if price != last:  # a rise lifts the ask, a fall hits the bid, an unchanged price may be either
                side = Side.BUY if price > last else Side.SELL
            elif rng.random() < 0.3:
                side = side.opposite
            last = price
            prints.append(Print(symbol, price * tick, quantity, minute + timedelta(milliseconds=offset), side))
        return tuple(prints)

    def _raw(self, symbol: str, shape: Shape) -> RawBar:
        tick = self._tick(symbol)
        return RawBar(shape.open * tick, shape.high * tick, shape.low * tick, shape.close * tick, shape.volume)
