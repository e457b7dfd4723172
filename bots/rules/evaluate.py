"""evaluate(rule, market) -> Decision: pure, the same live and in tests.

Without a position the entry conditions are judged, with one the stops, then the exit conditions, then the step towards the
target where the rule says one (targets.py). Stops are judged whenever a price is known (every tick); the rest at a bar's
close, or on every tick where the rule says `evaluate: tick`.
"""

from __future__ import annotations

from decimal import Decimal
from math import nan

from msgspec.structs import replace

from bots.rules import live
from bots.rules.conditions import columns, rows
from bots.rules.judging import Fixed, Row, Trace, score_of
from bots.rules.plan import Plan, plan_of
from bots.rules.series import BarWindow, Holding, MarketView
from bots.rules.targets import Proposal, Standing, step_towards
from bots.rules.tree import Node
from shared.domain.rule.model import EvaluateOn, Fact, Rule
from shared.domain.signal import Decision, Verdict

LEVEL_DECIMALS = 8  # 12 × 0.95 is 11.4, not 11.399999999999999: a price at the level has reached it
_NO_ROW: tuple[float, ...] = ()
_NO_FIXED: tuple[Fixed, ...] = ()
_NO_FACTS: dict[Fact, float] = {}
_HOLD, _TICK = Verdict.HOLD, EvaluateOn.TICK


def evaluate(rule: Rule, market: MarketView) -> Decision:
    """Return what the rule says now, with every compared value.

    The signal key is unique per (rule, version, symbol, bar) for entries and bar-close exits, per instant for exits on a
    tick: an exit that could not be filled may be said again at the next price.

    Raises:
        ConfigError: an indicator of the rule cannot be computed.
    """
    holding, bars = market.holding, market.bars
    if (
        holding is None
        and type(bars) is BarWindow
        and bars.forming
        and not market.bar_closed
        and rule.evaluate is _TICK
    ):
        # What nearly every tick comes to: every value is known, and a condition fails.
        _, plan, seen = bars.steps.get(id(rule)) or live.on_forming(rule, bars)
        now, enters = bars.now, seen.enters
        if enters is not None and not plan.has_target and not enters(now):
            trace = Trace(_NO_FIXED, plan.entry_told, now, seen.before, seen.columns)
            return Decision(rule.rule_id, rule.version_id, market.symbol, _HOLD, "no_entry", market.at, trace)
    plan = plan_of(rule)
    if holding is not None and holding.quantity > 0:
        fixed: list[Fixed] = []
        reason = _stop_hit(plan, market, holding, fixed)
        if reason is not None:
            return _decision(rule, market, Verdict.SELL, reason, Trace(fixed, None, _NO_ROW, _NO_ROW, None))
        return _leave(plan, rule, market, holding, fixed)
    if not _due(rule, market):
        return _waiting(rule, market, [])
    return _enter(plan, rule, market)


def _enter(plan: Plan, rule: Rule, market: MarketView) -> Decision:
    now, before = _rows(plan, market, None)
    held = plan.entry_test(now, before)
    trace = Trace((), plan.entry_told, now, before, None)
    if plan.has_target:
        if rule.entry.conditions and not held:
            return _held_back(rule, market, held, "no_entry", trace)
        return _towards(plan, rule, market, None, [], plan.entry_told, (now, before))
    if held:
        return _decision(rule, market, Verdict.BUY, "entry", trace, score=score_of(plan.entry_told, now, before))
    return _held_back(rule, market, held, "no_entry", trace)


def _leave(plan: Plan, rule: Rule, market: MarketView, holding: Holding, fixed: list[Fixed]) -> Decision:
    if not _due(rule, market):
        return _waiting(rule, market, fixed)
    if plan.time_stop_bars is not None:
        age = holding.bars_since_entry
        old = age >= plan.time_stop_bars
        right = str(plan.time_stop_bars)
        fixed.append(("risk.time_stop", "bars_since_entry", str(age), "greater_equal", right, old))
        if old:
            return _decision(rule, market, Verdict.SELL, "time_stop", Trace(fixed, None, _NO_ROW, _NO_ROW, None))
    bars = market.bars
    if type(bars) is BarWindow and bars.forming and not market.bar_closed and not plan.has_target:
        _, _, seen = live.on_forming(rule, bars)
        if seen.leaves is not None and not seen.leaves(bars.now):
            trace = Trace(fixed, plan.exit_told, bars.now, seen.before, seen.columns)
            return _decision(rule, market, _HOLD, "no_exit", trace)
    now, before = _rows(plan, market, holding)
    held = plan.exit_test(now, before)
    if held:
        score = score_of(plan.exit_told, now, before)
        return _decision(
            rule, market, Verdict.SELL, "exit", Trace(fixed, plan.exit_told, now, before, None), score=score
        )
    if plan.has_target:
        return _towards(plan, rule, market, holding, fixed, plan.exit_told, (now, before))
    return _held_back(rule, market, held, "no_exit", Trace(fixed, plan.exit_told, now, before, None))


def _towards(
    plan: Plan, rule: Rule, market: MarketView, holding: Holding | None, fixed: list[Fixed], node: Node,
    judged: tuple[Row, Row],
) -> Decision:  # fmt: skip
    """The step towards the rule's target; a grid with an entry condition buys only while it holds."""
    if rule.rebalance is not None and market.equity is None:
        return _decision(rule, market, Verdict.HOLD, "equity_unknown", Trace(fixed, node, *judged, None))
    proposal = step_towards(plan, Standing(market.symbol, judged_price(market), holding, market.equity), fixed)
    trace = Trace(fixed, node, *judged, None)
    if proposal is None:
        return _decision(rule, market, Verdict.HOLD, "no_step", trace)
    if proposal.verdict is Verdict.BUY and holding is not None and rule.entry.conditions:
        held = plan.entry_test(*judged)
        trace = Trace(fixed, plan.entry_told, *judged, None)
        if not held:
            return _held_back(rule, market, held, "no_entry", trace)
    return _decision(rule, market, proposal.verdict, proposal.reason, trace, proposal)


def _due(rule: Rule, market: MarketView) -> bool:
    return market.bar_closed or rule.evaluate is _TICK


def _rows(plan: Plan, market: MarketView, holding: Holding | None) -> tuple[Row, Row]:
    facts = _facts(market, holding) if plan.has_facts else _NO_FACTS
    if isinstance(market.bars, BarWindow):
        return live.rows(plan, market.bars, market.bar_closed, facts)
    bars = market.bars.closed() if market.bar_closed else market.bars
    return rows(columns(plan, bars, facts))


def _facts(market: MarketView, holding: Holding | None) -> dict[Fact, float]:
    minutes = market.minutes_to_close
    facts = {Fact.MINUTES_TO_CLOSE: nan if minutes is None else float(minutes)}
    if holding is not None:
        facts[Fact.PNL_PCT] = round((judged_price(market) / holding.average_price - 1.0) * 100.0, LEVEL_DECIMALS)
        facts[Fact.BARS_SINCE_ENTRY] = float(holding.bars_since_entry)
    return facts


def _price(market: MarketView) -> float:
    """The price to judge stops at: the last trade, else the close of the bar that just closed, else not known."""
    if market.last_price is not None:
        return market.last_price
    if not market.bar_closed:
        return nan
    bars = market.bars.closed()
    return float(bars.close[-1]) if len(bars) else nan


def judged_price(market: MarketView) -> float:
    """Return the price that conditions and targets look at: at a bar's close that close, on a tick the last trade; NaN: none.

    The tick that closes a bar is already one of the next: a backtest does not know it, so a live decision may not look at it.
    """
    if not market.bar_closed:
        return _price(market)
    bars = market.bars.closed()
    return float(bars.close[-1]) if len(bars) else nan


def _stop_hit(plan: Plan, market: MarketView, holding: Holding, fixed: list[Fixed]) -> str | None:
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
        fixed.append((f"risk.{name}", f"price {operator} {name}", repr(price), operator, repr(level), reached))
        if reached and hit is None:
            hit = name
    return hit


def risk_distance(rule: Rule, market: MarketView) -> Decimal | None:
    """Return what a share risks by the rule's ATR on the newest closed bar; None: not by ATR, or not known yet."""
    plan = plan_of(rule)
    if plan.risk_column is None:
        return None
    now, _ = _rows(plan, replace(market, bar_closed=True, holding=None), None)
    return distance_of(plan, now[plan.risk_column])


def distance_of(plan: Plan, atr: float) -> Decimal | None:
    """Return the rule's multiple of an ATR as money; None while the ATR is not known."""
    return None if atr != atr else Decimal(repr(round(float(atr) * plan.risk_multiple, LEVEL_DECIMALS)))


def stop_level(base: float, percent: float | None) -> float | None:
    """Return the price `percent` below `base`, None without a percent."""
    return None if percent is None else round(base * (1.0 - percent / 100.0), LEVEL_DECIMALS)


def target_level(base: float, percent: float | None) -> float | None:
    """Return the price `percent` above `base`, None without a percent."""
    return None if percent is None else round(base * (1.0 + percent / 100.0), LEVEL_DECIMALS)


def _waiting(rule: Rule, market: MarketView, fixed: list[Fixed]) -> Decision:
    return _decision(rule, market, Verdict.HOLD, "waiting_for_bar_close", Trace(fixed, None, _NO_ROW, _NO_ROW, None))


def _held_back(rule: Rule, market: MarketView, held: bool | None, reason: str, trace: Trace) -> Decision:
    return _decision(rule, market, Verdict.HOLD, reason if held is False else "warming_up", trace)


def _decision(
    rule: Rule, market: MarketView, verdict: Verdict, reason: str, trace: Trace, proposal: Proposal | None = None,
    score: float = 1.0,
) -> Decision:  # fmt: skip
    if verdict is Verdict.HOLD:
        return Decision(rule.rule_id, rule.version_id, market.symbol, verdict, reason, market.at, trace)
    return Decision(
        rule_id=rule.rule_id,
        version_id=rule.version_id,
        symbol=market.symbol,
        verdict=verdict,
        reason=reason,
        at=market.at,
        steps=trace,
        score=score,
        signal_key=signal_key(rule, market, verdict, reason) + _aim(market, proposal),
        quantity=None if proposal is None else proposal.quantity,
        limit_price=None if proposal is None else proposal.limit_price,
        order_type=None if proposal is None else proposal.order_type,
    )


def _aim(market: MarketView, proposal: Proposal | None) -> str:
    """A grid may buy several steps within a bar, each step once; a ladder buys once a bar."""
    if proposal is None or proposal.reason == "ladder_buy":
        return ""
    held = 0 if market.holding is None else market.holding.quantity
    return f":{held + (proposal.quantity if proposal.verdict is Verdict.BUY else -proposal.quantity)}"


def signal_key(rule: Rule, market: MarketView, verdict: Verdict, reason: str) -> str:
    """Return the key that makes one signal one order: by bar for entries and at a close, by instant for exits on a tick."""
    bars = market.bars.closed() if market.bar_closed else market.bars
    if isinstance(bars, BarWindow):
        bars = bars.view()
    by_bar = verdict is Verdict.BUY or market.bar_closed
    instant = int(bars.starts[-1]) + rule.timeframe.seconds if by_bar and len(bars) else market.at.isoformat()
    return f"{rule.rule_id}:{rule.version_id}:{market.symbol}:{instant}:{reason}"
