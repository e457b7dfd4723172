"""Backtests: `run` is the front door. Bars in data.py, the engines in fast.py and replay.py, figures in report.py."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from bots.backtest import kernel, resting
from bots.backtest.costs import Costs, CostsName, costs_for
from bots.backtest.data import DataWarning, PriceData
from bots.backtest.fast import Fill, Walked
from bots.backtest.kernel import Terms, Walker
from bots.backtest.report import Report
from bots.risk.snapshot import Limits
from bots.rules.plan import Plan, plan_of
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.instrument import InstrumentType
from shared.domain.market import Timeframe
from shared.domain.rule.model import EvaluateOn, Rule

__all__ = ["Limits", "Setting", "checked", "run", "walk", "warnings_of"]
ENGINES = ("fast", "replay")


@dataclass(frozen=True, slots=True)
class Setting:
    """How a backtest trades. `limits`: the account's own, judged by the live guards (replay only)."""

    market: Market
    cash: float
    fill: Fill = Fill.NEXT_OPEN
    costs: CostsName = CostsName.DEFAULT
    engine: str = "fast"
    instrument_type: InstrumentType = InstrumentType.STOCK
    board: str = "KOSPI"
    limits: Limits | None = None

    @property
    def terms(self) -> Terms:
        return Terms(self.cash, self.fill, self.priced)

    @property
    def priced(self) -> Costs:
        return costs_for(self.costs, self.market, instrument_type=self.instrument_type, board=self.board)


def run(
    rule: Rule,
    bars: PriceData | Mapping[str, PriceData],
    *,
    symbol: str = "",
    market: Market,
    cash: float,
    fill: str = Fill.NEXT_OPEN,
    costs: str = CostsName.DEFAULT,
    engine: str = "fast",
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
    limits: Limits | None = None,
) -> Report:
    """Return what `rule` would have traded on `bars`: long only, one position a symbol, whole shares.

    `bars` is one symbol's data, or several by symbol: they share the cash, sales of an instant before its purchases. A rule
    without sizing puts all equity into its symbols, in equal shares. `fill` is next_open or close, `costs` none or default.
    Only what the rule file states is applied, unless `limits` are given (replay engine).

    Raises:
        ConfigError: an unknown engine, fill or costs, cash that is not positive, or an indicator that cannot be computed.
    """
    data = dict(bars) if isinstance(bars, Mapping) else {symbol: bars}
    fills, priced = checked(tuple(data), cash, fill, costs, engine)
    engine = "replay" if rule.python else engine  # its code is asked bar by bar; nothing of it can be compiled
    setting = Setting(market, cash, fills, priced, engine, instrument_type, board, limits)
    plan = plan_of(rule)
    setting.priced.regimes()  # the dated tables, kept for the life of the process
    compiled = kernel.usable(plan, len(data))  # loads the compiled walk
    began = time.perf_counter()
    walked = walk(rule, plan, data, setting)
    seconds = time.perf_counter() - began
    done_by = engine if compiled else "replay"
    return Report(done_by, data, seconds, cash, walked, warnings_of(rule, plan, data, walked))


def walk(rule: Rule, plan: Plan, data: Mapping[str, PriceData], setting: Setting) -> Walked:
    """Run the engine. What the compiled walk cannot do, `fast` has done by the replay: the same trades, slower."""
    if setting.engine == "fast" and kernel.usable(plan, len(data)):
        return Walker(tuple(data.values()), setting.terms).walk(plan)
    return resting.walk(rule, dict(data), setting.terms, setting.limits)


def checked(symbols: tuple[str, ...], cash: float, fill: str, costs: str, engine: str) -> tuple[Fill, CostsName]:
    """Return the choices as values; see run."""
    if engine not in ENGINES:
        raise ConfigError(f"engine {engine!r}", "이 엔진은 없습니다 · there is no such engine", "fast, replay")
    if not symbols or not all(symbols):
        raise ConfigError("symbol", "종목이 없습니다 · no symbol was given", "give --symbol")
    if not (0 < cash <= 1e13):
        why = "0보다 크고 10조 이하여야 합니다 · must be above zero, at most 1e13"
        raise ConfigError(f"cash {cash}", why, "give --cash with an amount")
    try:
        return Fill(fill), CostsName(costs)
    except ValueError as e:
        raise ConfigError(
            str(e), "쓸 수 없는 값 · unknown choice", "fill: next_open, close; costs: none, default"
        ) from e


def warnings_of(rule: Rule, plan: Plan, data: Mapping[str, PriceData], walked: Walked) -> tuple[DataWarning, ...]:
    """Return what was odd about the bars, the rule, and what could not be traded."""
    found = [one for bars in data.values() for one in bars.warnings]
    for bars in data.values():
        seconds = bars.seconds_per_bar()
        if rule.timeframe.seconds != seconds:
            is_of = next((one.value for one in Timeframe if one.seconds == seconds), f"{seconds}초")
            text = f"규칙은 {rule.timeframe} 봉, 파일은 {is_of} 봉 · the rule is for another bar length than the file's"
            found.append(DataWarning("timeframe", text, 1))
        if len(bars.bars) < plan.warm_up:
            text = f"봉 {len(bars.bars)}개로는 지표를 셈할 수 없습니다 ({plan.warm_up}개 필요) · too few bars for the indicators"
            found.append(DataWarning("warm_up", text, 1))
    if rule.evaluate is EvaluateOn.TICK:
        text = "틱마다 판단하는 규칙을 봉 마감에 판단했습니다 · a tick rule was judged on bar closes"
        found.append(DataWarning("tick_rule", text, 1))
    if walked.unaffordable:
        text = "현금이 모자라 사지 못한 신호 · signals that cash did not pay for"
        found.append(DataWarning("unaffordable", text, walked.unaffordable))
    if walked.thin:
        text = "거래량이 모자라 나뉜 주문 · orders that the bars' volume cut"
        found.append(DataWarning("thin_volume", text, walked.thin))
    return tuple(found)
