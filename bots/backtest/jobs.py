"""A backtest as a job: what a row of backtest_runs asks for, and the document it becomes. Bars come from the library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bots.backtest import Setting, checked, library, parity, recent, run
from bots.backtest.bayes import search
from bots.backtest.checks import around, check_all, of_best
from bots.backtest.data import PriceData
from bots.backtest.family import grid
from bots.backtest.metrics import as_rows, metrics_of, monthly
from bots.backtest.report import Report
from bots.backtest.sweep import SEED, Outcome, Progress, Task, sampled, sweep
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError
from shared.domain.rule.model import Number, Rule
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule

KINDS = ("run", "sweep", "check")
_POINTS = 1_500  # of the equity curve in the result
_FEW = 60
_CANDLES = 1_000  # bars of each symbol in the result


def perform(
    rule_text: str, asked: Mapping[str, Any], home: Path, progress: Progress, store: Engine | None = None
) -> dict[str, Any]:
    """Do what a row asks: {kind, market, symbols, cash, fill, costs, engine, param: {name: [values]}, days}.

    A sweep tries `random` combinations drawn by `seed`, or `bayes` ones chosen by what was found before, else all of them.

    `environment` SIM takes bars of the local exchange where none of the market are kept. `days`: only the last so many trading dates, on kept bars or else on those that the desk's bots recorded in `store`.

    Kind `parity` asks {account, day} and looks into the store.

    Raises:
        RuleInvalid: the rule cannot be read, or has no such parameter.
        ConfigError: something asked for does not exist, bars above all.
    """
    if asked.get("kind") == "parity" and store is not None:
        day = asked.get("day")
        return parity.compare(store, home, int(asked["account"]), date.fromisoformat(day) if day else None).as_json()
    rule = parse_rule(rule_text)
    kind, market = asked.get("kind", "run"), Market(str(asked.get("market")))
    symbols = [str(one) for one in asked.get("symbols") or rule.universe]
    choices: dict[str, list[Number]] = {name: list(values) for name, values in (asked.get("param") or {}).items()}
    fill, costs, engine = (str(asked.get(name, usual)) for name, usual in _USUAL)
    cash = float(asked.get("cash", 0))
    data = {one: _bars(home, market, one, rule, asked, store) for one in symbols}
    fills, priced = checked(tuple(data), cash, fill, costs, engine)
    if kind == "run":
        bound = bind(rule, {name: values[0] for name, values in choices.items()})
        return _of_run(run(bound, data, market=market, cash=cash, fill=fill, costs=costs, engine=engine))
    if kind not in KINDS or len(data) != 1:
        raise ConfigError(f"{kind} {symbols}", "한 종목만 · one symbol at a time", f"kinds: {', '.join(KINDS)}")
    name, bars = next(iter(data.items()))
    task = Task(rule, name, bars, Setting(market, cash, fills, priced, engine))
    if kind == "sweep":
        return _of_sweep(task, choices or around(rule), asked, progress)
    found = check_all(task, choices or around(rule), progress=progress)
    return {"passed": all(one.verdict != "fail" for one in found), "checks": [_plain(asdict(one)) for one in found]}


def _bars(
    home: Path, market: Market, symbol: str, rule: Rule, asked: Mapping[str, Any], store: Engine | None
) -> PriceData:
    days = asked.get("days")
    if not isinstance(days, int) or days <= 0:
        simulated = library.home_of(home, Environment.SIM)
        try:
            return library.kept(home, market, symbol, rule.timeframe)
        except ConfigError:
            if asked.get("environment") != Environment.SIM or not library.has(
                simulated, market, symbol, rule.timeframe
            ):
                raise
            return library.kept(simulated, market, symbol, rule.timeframe)
    try:
        found = library.kept(home, market, symbol, rule.timeframe)
    except ConfigError:
        seen = None
        if store is not None:
            seen = recent.recorded(store, str(asked.get("environment")), market, symbol, rule.timeframe)
        if seen is None:
            raise
        found = seen
    return recent.last_days(found, bind(rule), days)


_USUAL = (("fill", "next_open"), ("costs", "default"), ("engine", "fast"))


def _of_run(report: Report) -> dict[str, Any]:
    starts, equity = report.daily()
    if len(equity) < _FEW:  # days of minutes: the curve within them
        starts, equity = report.starts(), report.equity
    step = max(len(equity) // _POINTS, 1)
    curve = [[int(starts[one]), float(equity[one])] for one in range(0, len(equity), step)]
    more = {"metrics": as_rows(metrics_of(report)), "monthly": monthly(report), "equity": curve}
    document: dict[str, Any] = _plain({**report.as_json(), **more, "candles": _candles(report)})
    return document


def _candles(report: Report) -> dict[str, dict[str, list[Any]]]:
    """The newest bars of each symbol, for the page that shows the trades on them."""
    found = {}
    for symbol, data in report.symbols.items():
        count, bars = len(data.bars), data.bars
        last = slice(max(count - _CANDLES, 0), count)
        columns = {name: getattr(bars, name)[last].tolist() for name in ("open", "high", "low", "close")}
        found[symbol] = {"at": [data.label(bar)[:16] for bar in range(last.start, count)], **columns}
    return found


def _of_sweep(
    task: Task, choices: dict[str, list[Number]], asked: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    if not choices:
        raise ConfigError("param", "규칙에 조절값이 없습니다 · the rule has no parameters", "name=[values]")
    seed, drawn, chosen = int(asked.get("seed", SEED)), asked.get("random"), asked.get("bayes")
    if isinstance(chosen, int) and chosen > 0:
        found = search(task, choices, chosen, seed=seed, progress=progress)
    else:
        few = sampled(choices, drawn, seed) if isinstance(drawn, int) and drawn > 0 else grid(choices)
        found = sweep(task, few, progress=progress)
    ranked = sorted(found, key=_rank, reverse=True)
    luck = None if math.isnan(ranked[0].return_pct) else _plain(asdict(of_best(task, found, ranked[0])))
    items = [_plain(asdict(one)) for one in ranked[:1_000]]
    return {"combinations": len(found), "items": items, "deflated_sharpe": luck}


def _rank(one: Outcome) -> float:
    return -math.inf if math.isnan(one.return_pct) else one.return_pct


def _plain(value: Any) -> Any:
    """JSON has no NaN: what cannot be said is null."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
