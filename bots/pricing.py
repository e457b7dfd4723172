"""From a decision to an order's price and size: pure, in the rule's own terms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

from bots.risk.sizing import EXACT, SizingFacts, shares
from bots.rules.plan import plan_of
from shared.domain.account import Market
from shared.domain.instrument import Instrument
from shared.domain.order import PRICED, Side
from shared.domain.rule.model import Execution, Rule
from shared.domain.rule.params import bind
from shared.domain.venue_rules import Rounding, round_to_tick, step_price, tick_size


def limit_price(
    market: Market, instrument: Instrument, execution: Execution, side: Side, best: Decimal, on: date
) -> Decimal | None:
    """The opposite best price (or the last) moved `offset_ticks` towards filling, on the grid; None for no price."""
    if execution.order_type not in PRICED:
        return None
    board = instrument.board or "KOSPI"
    tick = tick_size(market, best, on, instrument_type=instrument.type, board=board)
    # Towards filling: a buy rounds up, a sale down.
    price = max(round_to_tick(best, tick, Rounding.UP if side is Side.BUY else Rounding.DOWN), tick)
    ticks = execution.offset_ticks if side is Side.BUY else -execution.offset_ticks
    if ticks == 0:
        return price
    return step_price(market, price, ticks, on, instrument_type=instrument.type, board=board)


def kept_price(market: Market, instrument: Instrument, side: Side, limit: Decimal, on: date) -> Decimal:
    """A rule's own limit on the tick that keeps its promise: down for a buy, up for a sale."""
    board = instrument.board or "KOSPI"
    tick = tick_size(market, limit, on, instrument_type=instrument.type, board=board)
    return round_to_tick(limit, tick, Rounding.DOWN if side is Side.BUY else Rounding.UP)


def entry_quantity(rule: Rule, price: Decimal, equity: Decimal | None, by_atr: Decimal | None = None) -> int:
    """The shares the rule's sizing asks for at `price`; 0 without sizing or when what it needs is not known.

    `by_atr` is what a share risks where the rule says so by ATR (`risk_distance`); else its stop loss says it.
    """
    bound = bind(rule)
    if bound.sizing is None:
        return 0
    stop, distance = plan_of(rule).stop_loss_pct, None
    if stop is not None:
        with localcontext(EXACT):
            distance = price * Decimal(str(stop)) / 100
    if bound.sizing.atr_period is not None:
        distance = by_atr
    wanted = shares(bound.sizing.mode, Decimal(str(bound.sizing.value)), SizingFacts(price, equity, distance))
    share_of_equity = bound.risk.max_position_size
    if share_of_equity is None:
        return wanted
    if equity is None:
        return 0
    with localcontext(EXACT):
        return min(wanted, int(equity * Decimal(str(share_of_equity)) // price))
