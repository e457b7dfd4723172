"""Backtests: `run` is the front door. CSV in data.py, the engine in fast.py, figures in report.py."""

from __future__ import annotations

import time

from bots.backtest.costs import CostsName, costs_for
from bots.backtest.data import DataWarning, PriceData
from bots.backtest.fast import Fill, walk
from bots.backtest.report import Report
from bots.rules.plan import plan_of
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.rule.model import EvaluateOn, Rule


def run(
    rule: Rule,
    bars: PriceData,
    *,
    symbol: str,
    market: Market,
    cash: float,
    fill: str = Fill.NEXT_OPEN,
    costs: str = CostsName.DEFAULT,
    engine: str = "fast",
) -> Report:
    """Return what `rule` would have traded on `bars`: long only, one position, whole shares, all cash unless it sizes.

    `fill` is next_open or close, `costs` none or default. Only what the rule file states is applied: account limits are not.

    Raises:
        ConfigError: an unknown engine, fill or costs, cash that is not positive, or an indicator that cannot be computed.
    """
    fills, priced = _checked(symbol, cash, fill, costs, engine)
    plan = plan_of(rule)
    fees = costs_for(priced, market)
    began = time.perf_counter()
    walked = walk(plan, bars, market=market, cash=cash, fill=fills, costs=fees)
    seconds = time.perf_counter() - began
    warnings = (*bars.warnings, *_rule_warnings(rule, bars, plan.warm_up, walked.unaffordable))
    return Report(engine, bars, seconds, cash, walked.equity, walked.trades, warnings)


def _checked(symbol: str, cash: float, fill: str, costs: str, engine: str) -> tuple[Fill, CostsName]:
    if engine != "fast":
        raise ConfigError(f"engine {engine!r}", "이 엔진은 없습니다 · there is no such engine", "use --engine fast")
    if not symbol:
        raise ConfigError("symbol", "종목이 없습니다 · no symbol was given", "give --symbol")
    if not (0 < cash < float("inf")):
        raise ConfigError(f"cash {cash}", "0보다 커야 합니다 · must be above zero", "give --cash with an amount")
    try:
        return Fill(fill), CostsName(costs)
    except ValueError as e:
        raise ConfigError(
            str(e), "쓸 수 없는 값 · unknown choice", "fill: next_open, close; costs: none, default"
        ) from e


def _rule_warnings(rule: Rule, bars: PriceData, warm_up: int, unaffordable: int) -> list[DataWarning]:
    found = []
    if rule.timeframe.seconds != bars.seconds_per_bar():
        text = f"규칙은 {rule.timeframe} 봉, 파일은 {bars.seconds_per_bar()}초 봉 · rule and file differ in bar length"
        found.append(DataWarning("timeframe", text, 1))
    if rule.evaluate is EvaluateOn.TICK:
        text = "틱마다 판단하는 규칙을 봉 마감에 판단했습니다 · a tick rule was judged on bar closes"
        found.append(DataWarning("tick_rule", text, 1))
    if len(bars.bars) < warm_up:
        text = f"봉 {len(bars.bars)}개로는 지표를 셈할 수 없습니다 ({warm_up}개 필요) · too few bars for the indicators"
        found.append(DataWarning("warm_up", text, 1))
    if unaffordable:
        text = "현금이 모자라 사지 못한 신호 · signals that cash did not pay for"
        found.append(DataWarning("unaffordable", text, unaffordable))
    return found
