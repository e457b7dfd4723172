"""Walk: cut a bar into smaller bars, and the smallest into prints, so that the pieces add up to it exactly.

Prices are whole ticks. Everything is a pure function of the bar and the random numbers handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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


def cut(whole: Shape, pieces: int, rng: Random, *, swing: float, wick: float) -> list[Shape]:
    """Cut a bar into `pieces` that follow each other without a gap; one reaches its high, one its low.

    In shares of the whole range: `swing` is how far a regime takes the price off the way from open to close, `wick`
    how far a piece may reach beyond its own open and close.
    """
    knots = _knots(whole, pieces, rng, swing)
    volumes = split(whole.volume, pieces, rng)
    reach = (whole.high - whole.low) * wick
    parts = []
    for i, volume in enumerate(volumes):
        top, bottom = max(knots[i], knots[i + 1]), min(knots[i], knots[i + 1])
        high = min(whole.high, top + round(reach * (0.4 + 0.6 * rng.random())))
        low = max(whole.low, bottom - round(reach * (0.4 + 0.6 * rng.random())))
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


def _knots(whole: Shape, pieces: int, rng: Random, swing: float) -> list[int]:
    """Go from open to close in regimes (up, down, now and then flat) of one or two pieces around the straight way.

    Because up and down take turns, averages over a few pieces cross each other every few pieces.
    """
    reach = (whole.high - whole.low) * swing
    knots, left, aim, level = [whole.open], 0, 1.0 if rng.random() < 0.5 else -1.0, 0.0
    for i in range(1, pieces):
        if left == 0:
            left, aim = (1 if rng.random() < 0.6 else 2), -aim
            size = 0.15 if rng.random() < 0.1 else 0.5 + 0.5 * rng.random()
            step = (aim * size * reach - level) / left
        left -= 1
        level += step
        straight = whole.open + (whole.close - whole.open) * i / pieces
        knots.append(min(max(round(straight + level), whole.low), whole.high))
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
    for (start, begin), (end, goal) in pairwise(marks):
        for i in range(start + 1, end):
            price = round(begin + (goal - begin) * (i - start) / (end - start) + noise * (rng.random() - 0.5) * 2)
            prices.append(min(max(price, whole.low), whole.high))
        prices.append(goal)
    return list(zip(prices, split(whole.volume, count, rng), strict=True))
