"""How many shares a signal becomes. Rounds down, never up; zero means no order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from shared.domain.rule.model import SizingMode

EXACT = Context(prec=60)  # a large account times a percent has more digits than the 28 that Decimal keeps by itself
MOST_SHARES = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class SizingFacts:
    """What sizing may count with, in the account's currency. `equity` None: not known yet."""

    price: Decimal  # what one share will cost
    equity: Decimal | None
    stop_distance: Decimal | None  # price to stop, per share; None without a stop loss


def shares(mode: SizingMode, value: Decimal, facts: SizingFacts) -> int:
    """Return the whole shares that `mode` and `value` ask for; 0 when they cannot be known.

    Whole divisions of exact numbers throughout: the compiled backtest computes the same integers.
    """
    if facts.price <= 0 or value <= 0:
        return 0
    with localcontext(EXACT):
        match mode:
            case SizingMode.SHARES:
                wanted = value // 1
            case SizingMode.AMOUNT:
                wanted = value // facts.price
            case SizingMode.EQUITY_PCT:
                wanted = Decimal(0) if facts.equity is None else facts.equity * value // (100 * facts.price)
            case SizingMode.RISK_PCT:
                wanted = _by_risk(value, facts)
        return int(min(wanted, MOST_SHARES))


def _by_risk(pct: Decimal, facts: SizingFacts) -> Decimal:
    """The shares whose loss at the stop is `pct` of equity, never more than equity buys."""
    if facts.equity is None or not facts.stop_distance or facts.stop_distance <= 0:
        return Decimal(0)
    return min(facts.equity * pct // (100 * facts.stop_distance), facts.equity // facts.price)
