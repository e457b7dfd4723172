"""Returns of an account with money going in and out (markets.md §9): simple, time-weighted, money-weighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, localcontext
from itertools import groupby

ONE, ZERO = Decimal(1), Decimal(0)
YEAR_S = Decimal(365 * 86400)


@dataclass(frozen=True, slots=True)
class Flow:
    """Money paid in (positive) or taken out."""

    at: datetime
    amount: Decimal


Point = tuple[datetime, Decimal]  # equity, flows up to its moment included


@dataclass(frozen=True, slots=True)
class DayReturn:
    """What one day alone earned: 0.01 is 1 % of what was there when it began."""

    day: date
    since: datetime  # when it was last counted before
    base: Decimal  # equity then
    part: Decimal


def simple_return(points: Sequence[Point], flows: Sequence[Flow]) -> Decimal | None:
    """What brokers' screens show: the gain over what was there and paid in. None: nothing was there."""
    start, end = points[0][1], points[-1][1]
    inside = _inside(points, flows)
    base = start + sum((max(flow.amount, ZERO) for flow in inside), ZERO)
    return None if base <= 0 else (end - start - sum((flow.amount for flow in inside), ZERO)) / base


def time_weighted(points: Sequence[Point], flows: Sequence[Flow]) -> Decimal | None:
    """Π(1 + r) - 1, cut at each flow: r = value before the flow / value after the last one - 1.

    The value before a flow is the next point's less the flow: what happened between the two counts as after it only as
    far as the points are apart. None: nothing was there.
    """
    total, base, taken = ONE, points[0][1], 0
    inside = sorted(_inside(points, flows), key=lambda flow: flow.at)
    for at, equity in points[1:]:
        moved = ZERO
        while taken < len(inside) and inside[taken].at <= at:
            moved += inside[taken].amount
            taken += 1
        if base <= 0:
            if moved <= 0:
                return None
            base = equity  # it begins with the money paid in
            continue
        if moved:
            total *= (equity - moved) / base
            base = equity
        elif at == points[-1][0]:
            total *= equity / base
            base = equity
    return total - 1


def by_day(points: Sequence[Point], flows: Sequence[Flow], zone: tzinfo) -> list[DayReturn]:
    """Time-weighted, cut at the last point of each day of `zone`; their product is that of the whole time.

    A day on which nothing was there has none.
    """
    found, head = list[DayReturn](), points[0] if points else None
    for day, group in groupby(points, key=lambda point: point[0].astimezone(zone).date()):
        mine = list(group)
        if head is None or mine[-1] == head:
            continue
        part = time_weighted([head, *(point for point in mine if point[0] > head[0])], flows)
        if part is not None and head[1] > 0:
            found.append(DayReturn(day, head[0], head[1], part))
        head = mine[-1]
    return found


def money_weighted(points: Sequence[Point], flows: Sequence[Flow]) -> Decimal | None:
    """The yearly rate at which everything paid in grows to what is there now (XIRR); None where there is none.

    Days count as parts of 365 days.
    """
    (start, first), (end, last) = points[0], points[-1]
    if end <= start or first < 0:
        return None
    moves = [(end - start, first), *((end - flow.at, flow.amount) for flow in _inside(points, flows))]
    years = [(Decimal(span.total_seconds()) / YEAR_S, amount) for span, amount in moves]

    def missing(rate: Decimal) -> Decimal:
        with localcontext() as context:
            context.prec = 40
            return sum((amount * (ONE + rate) ** span for span, amount in years), ZERO) - last

    low, high = Decimal("-0.999999"), Decimal(10)
    while missing(high) < 0 and high < Decimal(10) ** 9:
        high *= 10
    if missing(low) > 0 or missing(high) < 0:
        return None
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if missing(middle) < 0 else (low, middle)
    return (low + high) / 2


def _inside(points: Sequence[Point], flows: Sequence[Flow]) -> list[Flow]:
    return [flow for flow in flows if points[0][0] < flow.at <= points[-1][0]]
