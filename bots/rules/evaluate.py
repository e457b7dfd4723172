"""evaluate(rule, market) -> Decision: pure, the same live and in tests.

Without a position the entry conditions are judged, with one the stops and then the exit conditions. Stops are judged
whenever a price is known (every tick); conditions at a bar's close, or on every tick where the rule says `evaluate: tick`.
"""

from __future__ import annotations

from math import nan

from bots.rules.conditions import columns, truth
from bots.rules.plan import Node, Plan, plan_of
from bots.rules.series import Bars, Holding, MarketView
from shared.domain.rule.model import EvaluateOn, Fact, Rule
from shared.domain.signal import Decision, Step, Verdict

LEVEL_DECIMALS = 8  # 12 × 0.95 is 11.4, not 11.399999999999999: a price at the level has reached it


def evaluate(rule: Rule, market: MarketView) -> Decision:
    """Return what the rule says now, with every compared value.

    The signal key is unique per (rule, version, symbol, bar) for entries and bar-close exits, per instant for exits on a
    tick: an exit that could not be filled may be said again at the next price.

    Raises:
        ConfigError: an indicator of the rule cannot be computed.
    """
    plan = plan_of(rule)
    steps: list[Step] = []
    if market.holding is None or market.holding.quantity <= 0:
        return _enter(plan, rule, market, steps)
    reason = _stop_hit(plan, market, market.holding, steps)
    if reason is not None:
        return _decision(rule, market, Verdict.SELL, reason, steps)
    return _leave(plan, rule, market, market.holding, steps)


def _enter(plan: Plan, rule: Rule, market: MarketView, steps: list[Step]) -> Decision:
    if not _due(rule, market):
        return _decision(rule, market, Verdict.HOLD, "waiting_for_bar_close", steps)
    held = _judge(plan, plan.entry, market, None, steps)
    if held:
        return _decision(rule, market, Verdict.BUY, "entry", steps)
    return _decision(rule, market, Verdict.HOLD, "no_entry" if held is False else "warming_up", steps)


def _leave(plan: Plan, rule: Rule, market: MarketView, holding: Holding, steps: list[Step]) -> Decision:
    if not _due(rule, market):
        return _decision(rule, market, Verdict.HOLD, "waiting_for_bar_close", steps)
    if plan.time_stop_bars is not None:
        old = holding.bars_since_entry >= plan.time_stop_bars
        right = str(plan.time_stop_bars)
        steps.append(
            Step("risk.time_stop", "bars_since_entry", str(holding.bars_since_entry), "greater_equal", right, old)
        )
        if old:
            return _decision(rule, market, Verdict.SELL, "time_stop", steps)
    held = _judge(plan, plan.exit, market, holding, steps)
    if held:
        return _decision(rule, market, Verdict.SELL, "exit", steps)
    return _decision(rule, market, Verdict.HOLD, "no_exit" if held is False else "warming_up", steps)


def _due(rule: Rule, market: MarketView) -> bool:
    return market.bar_closed or rule.evaluate is EvaluateOn.TICK


def _judge(plan: Plan, node: Node, market: MarketView, holding: Holding | None, steps: list[Step]) -> bool | None:
    bars = _bars(market)
    minutes = market.minutes_to_close
    facts = {Fact.MINUTES_TO_CLOSE: nan if minutes is None else float(minutes)}
    if holding is not None:
        price = _price(market)
        facts[Fact.PNL_PCT] = round((price / holding.average_price - 1.0) * 100.0, LEVEL_DECIMALS)
        facts[Fact.BARS_SINCE_ENTRY] = float(holding.bars_since_entry)
    return truth(node, columns(plan, bars, facts), steps)


def _bars(market: MarketView) -> Bars:
    return market.bars.closed() if market.bar_closed else market.bars


def _price(market: MarketView) -> float:
    """The price to judge stops at: the last trade, else the close of the bar that just closed, else not known."""
    if market.last_price is not None:
        return market.last_price
    bars = _bars(market)
    return float(bars.close[-1]) if market.bar_closed and len(bars) else nan


def _stop_hit(plan: Plan, market: MarketView, holding: Holding, steps: list[Step]) -> str | None:
    """Return the first stop that the price has reached; stop loss before trailing stop before take profit."""
    price = _price(market)
    average, high = holding.average_price, max(holding.high_water, holding.average_price)
    levels = (
        ("stop_loss", "less_equal", stop_level(average, plan.stop_loss_pct)),
        ("trailing_stop", "less_equal", stop_level(high, plan.trailing_stop_pct)),
        ("take_profit", "greater_equal", target_level(average, plan.take_profit_pct)),
    )
    hit = None
    for name, operator, level in levels:
        if level is None:
            continue
        reached = None if price != price else price <= level if operator == "less_equal" else price >= level
        steps.append(Step(f"risk.{name}", f"price {operator} {name}", repr(price), operator, repr(level), reached))
        if reached and hit is None:
            hit = name
    return hit


def stop_level(base: float, percent: float | None) -> float | None:
    """Return the price `percent` below `base`, None without a percent."""
    return None if percent is None else round(base * (1.0 - percent / 100.0), LEVEL_DECIMALS)


def target_level(base: float, percent: float | None) -> float | None:
    """Return the price `percent` above `base`, None without a percent."""
    return None if percent is None else round(base * (1.0 + percent / 100.0), LEVEL_DECIMALS)


def _decision(rule: Rule, market: MarketView, verdict: Verdict, reason: str, steps: list[Step]) -> Decision:
    return Decision(
        rule_id=rule.rule_id,
        version_id=rule.version_id,
        symbol=market.symbol,
        verdict=verdict,
        reason=reason,
        at=market.at,
        steps=tuple(steps),
        signal_key=None if verdict is Verdict.HOLD else _signal_key(rule, market, verdict, reason),
    )


def _signal_key(rule: Rule, market: MarketView, verdict: Verdict, reason: str) -> str:
    bars = _bars(market)
    by_bar = verdict is Verdict.BUY or market.bar_closed
    instant = int(bars.starts[-1]) + rule.timeframe.seconds if by_bar and len(bars) else market.at.isoformat()
    return f"{rule.rule_id}:{rule.version_id}:{market.symbol}:{instant}:{reason}"
