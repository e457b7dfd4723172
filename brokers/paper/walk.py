"""Walk: cut a bar into smaller bars, and the smallest into prints, so that the pieces add up to it exactly.

Prices are whole ticks. Everything is a pure function of the bar and the random numbers handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Shape:
    """A bar in ticks."""

    open: int
    high: int
    low: int
    close: int
    volume: int


def split(total: int, pieces: int, rng: Random) -> list[int]:
    """Share `total` out, at least one to each piece, unevenly."""
    weights = [0.6 + 0.8 * rng.random() for _ in range(pieces)]
    spare, scale = total - pieces, sum(weights)
    shares = [1 + int(spare * weight / scale) for weight in weights]
    shares[-1] += total - sum(shares)
    return shares


def cut(whole: Shape, pieces: int, rng: Random) -> list[Shape]:
    """Cut a bar into `pieces` that follow each other without a gap; one reaches its high, one its low."""
    knots = _knots(whole, pieces, rng)
    volumes = split(whole.volume, pieces, rng)
    wick = (whole.high - whole.low) * 0.18
    parts = []
    for i, volume in enumerate(volumes):
        top, bottom = max(knots[i], knots[i + 1]), min(knots[i], knots[i + 1])
        high = min(whole.high, top + round(wick * rng.random()))
        low = max(whole.low, bottom - round(wick * rng.random()))
        parts.append(Shape(knots[i], high, low, knots[i + 1], volume))
    peak = max(range(pieces), key=lambda i: parts[i].high)
    pit = min(range(pieces), key=lambda i: parts[i].low)
    parts[peak] = _stretch(parts[peak], high=whole.high)
    parts[pit] = _stretch(parts[pit], low=whole.low)
    return parts


def _stretch(shape: Shape, *, high: int | None = None, low: int | None = None) -> Shape:
    return Shape(
        shape.open,
        shape.high if high is None else high,
        shape.low if low is None else low,
        shape.close,
        shape.volume,
    )


def _knots(whole: Shape, pieces: int, rng: Random) -> list[int]:
    """Go from open to close in regimes (up, down, flat) of one to three pieces, turning back at the edges."""
    span, level = whole.high - whole.low, float(whole.open)
    knots, left, slope = [whole.open], 0, 0.0
    for i in range(1, pieces):
        if left == 0:
            left = 1 + int(rng.random() * 3)
            pull = 0.5 - (level - whole.low) / span if span else 0.0  # far from the middle: rather back
            draw = rng.random()
            slope = 0.0 if draw < 0.12 else span * (0.12 + 0.25 * rng.random())
            if rng.random() > 0.5 + 0.8 * pull:
                slope = -slope
        left -= 1
        level += slope
        if not whole.low <= level <= whole.high:
            slope, left = -slope, 1
            level = min(max(level, float(whole.low)), float(whole.high))
        home = max(0.0, 1 - (pieces - i) / 4)  # the last steps lead to the close
        knots.append(round(level + (whole.close - level) * home))
    return [*knots, whole.close]


def steps(whole: Shape, count: int, rng: Random) -> list[tuple[int, int]]:
    """Return `count` (price, quantity) prints: open first, close last, high and low on the way. `count` ≥ 4."""
    first, second = sorted((1 + int(rng.random() * (count - 2)), 1 + int(rng.random() * (count - 3))))
    if first == second:
        second += 1
    up_first = rng.random() < 0.5
    marks = [
        (0, whole.open),
        (first, whole.high if up_first else whole.low),
        (second, whole.low if up_first else whole.high),
        (count - 1, whole.close),
    ]
    noise = (whole.high - whole.low) * 0.15
    prices = [whole.open]
    for (start, begin), (end, goal) in zip(marks, marks[1:], strict=False):
        for i in range(start + 1, end):
            price = round(begin + (goal - begin) * (i - start) / (end - start) + noise * (rng.random() - 0.5) * 2)
            prices.append(min(max(price, whole.low), whole.high))
        prices.append(goal)
    return list(zip(prices, split(whole.volume, count, rng), strict=True))
