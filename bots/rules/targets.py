"""The step towards a target position: ladders, grids and target weights (docs/rules.md), from the position alone.

Every answer is a function of prices, shares and average price: nothing is remembered, so a restart changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from bots.rules.judging import Fixed
from bots.rules.plan import Plan
from bots.rules.series import Holding
from shared.domain.order import PRICED, OrderType
from shared.domain.rule import model as m
from shared.domain.signal import Verdict

_HAIR = 1e-9  # 400 × 0.1 / 4 is ten parts, not ten and a hair


@dataclass(frozen=True, slots=True)
class Proposal:
    """How many shares to trade now; `limit_price` and `order_type` None leave it to the rule's execution."""

    verdict: Verdict
    reason: str
    quantity: int
    limit_price: Decimal | None = None
    order_type: OrderType | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the targets look at. `price` is the close judged, or the last price on a tick."""

    symbol: str
    price: float
    holding: Holding | None
    equity: float | None

    @property
    def shares(self) -> int:
        return 0 if self.holding is None else self.holding.quantity


def step_towards(plan: Plan, standing: Standing, fixed: list[Fixed]) -> Proposal | None:
    """Return the trade that the rule's target asks for now, None for none; what was compared is added to `fixed`."""
    rule = plan.rule
    if standing.price != standing.price or standing.price <= 0:
        return None
    if rule.ladder is not None:
        return _ladder(rule, rule.ladder, standing, fixed)
    if rule.grid is not None:
        return _grid(rule, rule.grid, standing, fixed)
    if rule.rebalance is not None:
        return _rebalance(rule.rebalance, standing, fixed)
    return None


def _number(value: m.NumberOrParam) -> float:
    assert not isinstance(value, m.ParamRef)  # a plan's rule is bound
    return float(value)


def _limit(price: float) -> Decimal:
    return Decimal(repr(round(price, 8)))


def _ladder(rule: m.Rule, ladder: m.Ladder, standing: Standing, fixed: list[Fixed]) -> Proposal | None:
    assert rule.sizing is not None  # targets.py of the domain refuses a ladder without
    by_shares = rule.sizing.mode is m.SizingMode.SHARES
    whole, splits = _number(rule.sizing.value), _number(ladder.splits)
    part = whole / splits
    holding = standing.holding
    spent = 0.0 if holding is None else holding.quantity * (1.0 if by_shares else holding.average_price)
    used = ceil(spent / part - _HAIR)
    fixed.append(
        ("ladder.splits", "splits used less_than splits", repr(used), "less_than", repr(splits), used < splits)
    )
    if used >= splits:
        return None
    if holding is None:
        limit = standing.price * (1 + _number(ladder.first_pct) / 100)
    else:
        early = used < _number(ladder.early_splits)
        limit = holding.average_price * (1 + _number(ladder.early_pct if early else ladder.limit_pct) / 100)
    priced = ladder.order_type in PRICED
    room = min(part, whole - spent)
    quantity = floor((room if by_shares else room / (limit if priced else standing.price)) + _HAIR)
    fixed.append(("ladder.shares", "shares greater_than 0", repr(quantity), "greater_than", "0", quantity > 0))
    if quantity <= 0:
        return None
    return Proposal(Verdict.BUY, "ladder_buy", quantity, _limit(limit) if priced else None, ladder.order_type)


def grid_levels(rule: m.Rule, grid: m.Grid) -> tuple[list[float], list[int], float]:
    """Return the levels' prices from the top, the shares held with each and all above it bought, and the gap."""
    assert rule.sizing is not None
    upper, lower, count = _number(grid.upper), _number(grid.lower), int(_number(grid.levels))
    gap = (upper - lower) / count
    prices = [round(upper - i * gap, 8) for i in range(1, count + 1)]
    by_shares, value = rule.sizing.mode is m.SizingMode.SHARES, _number(rule.sizing.value)
    held, total = [], 0
    for price in prices:
        total += int(value) if by_shares else floor(value / price + _HAIR) if price > 0 else 0
        held.append(total)
    return prices, held, gap


def _grid(rule: m.Rule, grid: m.Grid, standing: Standing, fixed: list[Fixed]) -> Proposal | None:
    prices, held, gap = grid_levels(rule, grid)
    have = sum(1 for one in held if one <= standing.shares)
    want = sum(1 for one in prices if standing.price <= one)
    keep = sum(1 for one in prices if standing.price < round(one + gap, 8))
    fixed.append(
        ("grid.buy", "levels reached greater_than levels held", repr(want), "greater_than", repr(have), want > have)
    )
    fixed.append(
        ("grid.sell", "levels to keep less_than levels held", repr(keep), "less_than", repr(have), keep < have)
    )
    if want > have:
        missing = held[want - 1] - standing.shares
        return Proposal(Verdict.BUY, "grid_buy", missing) if missing > 0 else None
    if keep < have:
        return Proposal(Verdict.SELL, "grid_sell", standing.shares - (held[keep - 1] if keep else 0))
    return None


def _rebalance(rebalance: m.Rebalance, standing: Standing, fixed: list[Fixed]) -> Proposal | None:
    target = dict(rebalance.weights).get(standing.symbol)
    if target is None or standing.equity is None or standing.equity <= 0:
        return None
    weight = standing.shares * standing.price / standing.equity * 100
    off, band = abs(weight - target), _number(rebalance.band_pct)
    fixed.append(("rebalance.band", "points off greater_than band", repr(off), "greater_than", repr(band), off > band))
    if off <= band:
        return None
    change = floor(target / 100 * standing.equity / standing.price + _HAIR) - standing.shares
    fixed.append(("rebalance.shares", "shares to trade not_equal 0", repr(change), "not_equal", "0", change != 0))
    if change == 0:
        return None
    verdict = Verdict.BUY if change > 0 else Verdict.SELL
    return Proposal(verdict, f"rebalance_{verdict.lower()}", abs(change))
