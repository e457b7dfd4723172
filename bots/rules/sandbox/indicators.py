"""Indicators for a person's Python, without numpy: each takes bars one by one and gives what TA-Lib gives for them.

A value that is not known yet is NaN, which compares false with everything. Periods are checked by TA-Lib's own bounds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from math import isnan, nan, sqrt
from typing import Any, NamedTuple


class Bar(NamedTuple):
    start: int  # epoch seconds of the opening
    open: float
    high: float
    low: float
    close: float
    volume: float


class Macd(NamedTuple):
    line: float
    signal: float
    histogram: float


class Bands(NamedTuple):
    upper: float
    middle: float
    lower: float


class Stoch(NamedTuple):
    k: float
    d: float


Value = float | Macd | Bands | Stoch
Steps = Generator[Any, Bar, None]  # primed by next(); send(bar) returns the value at that bar
_PRICES: dict[str, Callable[[Bar], float]] = {
    "open": lambda bar: bar.open,
    "high": lambda bar: bar.high,
    "low": lambda bar: bar.low,
    "close": lambda bar: bar.close,
    "volume": lambda bar: bar.volume,
    "typical": lambda bar: (bar.high + bar.low + bar.close) / 3,
}


def price_of(name: str) -> Callable[[Bar], float]:
    if name not in _PRICES:
        raise ValueError(f"of={name!r}: one of {', '.join(_PRICES)}")
    return _PRICES[name]


def period(value: int, least: int = 2) -> int:
    if type(value) is not int or not least <= value <= 100_000:
        raise ValueError(f"a period is a whole number from {least} to 100000, not {value!r}")
    return value


def sma(length: int, of: str) -> Steps:
    price, seen, total = price_of(of), deque[float](), 0.0
    bar = yield
    while True:
        seen.append(price(bar))
        total += seen[-1]
        if len(seen) < length:
            bar = yield nan
        else:
            found = total / length
            total -= seen.popleft()
            bar = yield found


class _Smooth:
    """An average that starts as the mean of its first `length` values."""

    def __init__(self, length: int, weight: float) -> None:
        self.length, self.weight, self.count, self.value = length, weight, 0, 0.0

    def take(self, value: float) -> float:
        self.count += 1
        if self.count < self.length:
            self.value += value
            return nan
        if self.count == self.length:
            self.value = (self.value + value) / self.length
        else:
            self.value = (value - self.value) * self.weight + self.value
        return self.value


def _exponential(length: int) -> _Smooth:
    return _Smooth(length, 2.0 / (length + 1))


def ema(length: int, of: str) -> Steps:
    price, average = price_of(of), _exponential(length)
    bar = yield
    while True:
        bar = yield average.take(price(bar))


def wma(length: int, of: str) -> Steps:
    price, seen = price_of(of), deque[float](maxlen=length)
    divider = length * (length + 1) / 2
    bar = yield
    while True:
        seen.append(price(bar))
        full = len(seen) == length
        bar = yield sum(weight * value for weight, value in enumerate(seen, 1)) / divider if full else nan


def rsi(length: int, of: str) -> Steps:
    """Wilder's: the first means are plain, then each bar counts 1/length."""
    price, before, count, gain, loss = price_of(of), nan, 0, 0.0, 0.0
    bar = yield
    while True:
        now = price(bar)
        found = nan
        if not isnan(before):
            count += 1
            up, down = max(now - before, 0.0), max(before - now, 0.0)
            if count <= length:
                gain, loss = gain + up, loss + down
                if count == length:
                    gain, loss = gain / length, loss / length
            else:
                gain = (gain * (length - 1) + up) / length
                loss = (loss * (length - 1) + down) / length
            if count >= length:
                found = 100.0 * gain / (gain + loss) if gain + loss > 1e-14 else 0.0
        before = now
        bar = yield found


def macd(fast: int, slow: int, signal: int, of: str) -> Steps:
    """The fast average starts with the slow one, from its own first values before that bar, as TA-Lib's does."""
    fast, slow = min(fast, slow), max(fast, slow)
    price, average = price_of(of), _exponential(slow)
    quick, smooth = _exponential(fast), _exponential(signal)
    count = 0
    bar = yield
    while True:
        now = price(bar)
        count += 1
        slow_now = average.take(now)
        fast_now = quick.take(now) if count > slow - fast else nan
        line = fast_now - slow_now
        smoothed = nan if isnan(line) else smooth.take(line)
        known = not isnan(smoothed)
        bar = yield Macd(line, smoothed, line - smoothed) if known else Macd(nan, nan, nan)


def stddev(length: int, deviations: float, of: str) -> Steps:
    """Of the whole window (divided by its length)."""
    price, seen, total, squares = price_of(of), deque[float](), 0.0, 0.0
    bar = yield
    while True:
        now = price(bar)
        seen.append(now)
        total, squares = total + now, squares + now * now
        if len(seen) < length:
            bar = yield nan
            continue
        mean = total / length
        variance = squares / length - mean * mean
        out = seen.popleft()
        total, squares = total - out, squares - out * out
        bar = yield sqrt(variance) * deviations if variance > 1e-14 else 0.0


def bbands(length: int, up: float, down: float, of: str) -> Steps:
    middles, widths = sma(length, of), stddev(length, 1.0, of)
    next(middles), next(widths)
    bar = yield
    while True:
        middle, width = middles.send(bar), widths.send(bar)
        bar = yield Bands(middle + up * width, middle, middle - down * width)


def atr(length: int) -> Steps:
    """Wilder's average of the true range; the first bar has none."""
    before, count, value = nan, 0, 0.0
    bar = yield
    while True:
        found = nan
        if not isnan(before):
            span = max(bar.high - bar.low, abs(bar.high - before), abs(bar.low - before))
            count += 1
            if count < length:
                value += span
            else:
                value = (value + span) / length if count == length else (value * (length - 1) + span) / length
                found = value
        before = bar.close
        bar = yield found


def _window(length: int, of: str, told: Callable[[deque[float]], float]) -> Steps:
    price, seen = price_of(of), deque[float](maxlen=length)
    bar = yield
    while True:
        seen.append(price(bar))
        bar = yield told(seen) if len(seen) == length else nan


def highest(length: int, of: str) -> Steps:
    return _window(length, of, max)


def lowest(length: int, of: str) -> Steps:
    return _window(length, of, min)


def mom(length: int, of: str) -> Steps:
    return _window(length + 1, of, lambda seen: seen[-1] - seen[0])


def roc(length: int, of: str) -> Steps:
    return _window(length + 1, of, lambda seen: (seen[-1] / seen[0] - 1.0) * 100.0 if seen[0] else 0.0)


def cci(length: int) -> Steps:
    def told(seen: deque[float]) -> float:
        mean = sum(seen) / length
        spread = sum(abs(value - mean) for value in seen) / length
        off = seen[-1] - mean
        return off / (0.015 * spread) if off and spread else 0.0

    return _window(length, "typical", told)


def _percent_k(length: int) -> Generator[float, Bar, None]:
    highs, lows = highest(length, "high"), lowest(length, "low")
    next(highs), next(lows)
    bar = yield nan
    while True:
        high, low = highs.send(bar), lows.send(bar)
        span = high - low
        bar = yield nan if isnan(span) else (bar.close - low) / span * 100.0 if span else 0.0


def willr(length: int) -> Steps:
    highs, lows = highest(length, "high"), lowest(length, "low")
    next(highs), next(lows)
    bar = yield
    while True:
        high, low = highs.send(bar), lows.send(bar)
        span = high - low
        bar = yield nan if isnan(span) else (high - bar.close) / span * -100.0 if span else 0.0


def stoch(length: int, slow_k: int, slow_d: int) -> Steps:
    """%K is the mean of `slow_k` raw values, %D the mean of `slow_d` %Ks."""
    raw = _percent_k(length)
    next(raw)
    ks, ds = deque[float](maxlen=slow_k), deque[float](maxlen=slow_d)
    bar = yield
    while True:
        value = raw.send(bar)
        if not isnan(value):
            ks.append(value)
            if len(ks) == slow_k:
                ds.append(sum(ks) / slow_k)
        known = len(ds) == slow_d
        bar = yield Stoch(ds[-1], sum(ds) / slow_d) if known else Stoch(nan, nan)


def obv() -> Steps:
    """The first bar counts its whole volume."""
    before, total = nan, 0.0
    bar = yield
    while True:
        if isnan(before):
            total = bar.volume
        elif bar.close != before:
            total += bar.volume if bar.close > before else -bar.volume
        before = bar.close
        bar = yield total
