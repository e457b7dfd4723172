"""Is a backtest honest? Each check says what it looked at, what it found, and how much that is worth.

* look_ahead: decisions recomputed on data that ends at the decision; a value that used the future differs.
* warm_up: decisions recomputed on short histories, the live bot's among them; slow indicators differ.
* stability: neighbouring parameter values; a lone peak is luck.
* walk_forward: parameters chosen on one stretch, traded on the next.
* trade_order: the same trades in other orders; how deep the drawdown could have been.
* deflated_sharpe: the Sharpe ratio against the best that so many tries find by luck (Bailey, López de Prado 2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, pvariance
from typing import Any

import numpy as np

from bots.backtest import walk
from bots.backtest.data import PriceData
from bots.backtest.family import grid
from bots.backtest.fast import Walked, static_facts
from bots.backtest.metrics import SHARPE_FACTOR
from bots.backtest.sweep import Outcome, Progress, Task, sweep
from bots.rules.conditions import Column, columns, mask
from bots.rules.plan import Plan, plan_of
from bots.rules.series import Bars, FloatArray
from shared.domain.rule.model import Fact, FactRef, Number, Rule
from shared.domain.rule.params import bind

LIVE_BARS = 500  # what the live bot keeps (bots/bars.py KEPT)
_SAMPLE = 120  # decisions recomputed per check
_SHUFFLES = 1_000
_EULER = 0.5772156649015329

Compute = Callable[[Plan, Bars, Mapping[Fact, Column]], list[Column]]


@dataclass(frozen=True, slots=True)
class Check:
    """`verdict`: ok, warn, fail, or skipped when there is too little to look at."""

    name: str
    verdict: str
    ko: str
    en: str
    figures: dict[str, Any]


def check_all(
    task: Task,
    choices: Mapping[str, Sequence[Number]],
    *,
    folds: int = 4,
    progress: Progress = lambda done, total: None,
) -> list[Check]:
    """Run every check on one symbol's bars. `choices` are the parameter values to vary; without any, three are skipped."""
    rule = bind(task.rule)
    plan = plan_of(rule)
    walked = walk(rule, plan, {task.symbol: task.data}, task.setting)
    steps: list[Callable[[], list[Check]]] = [
        lambda: [look_ahead(plan, task.data)],
        lambda: [warm_up(plan, task.data)],
        lambda: _of_parameters(task, choices, walked),
        lambda: [walk_forward(task, choices, folds)],
        lambda: [trade_order(walked, task.setting.cash)],
    ]
    found: list[Check] = []
    for done, step in enumerate(steps):
        progress(done, len(steps))
        found += step()
    progress(len(steps), len(steps))
    return found


def around(rule: Rule) -> dict[str, list[Number]]:
    """Return values near each parameter's default, inside its bounds: five at 60 … 140 %."""
    found: dict[str, list[Number]] = {}
    for one in rule.params:
        values: list[Number] = []
        for factor in (0.6, 0.8, 1.0, 1.2, 1.4):
            value: Number = one.default * factor
            value = round(value) if one.type == "int" else round(float(value), 6)
            low, high = one.min, one.max
            inside = (low is None or value >= low) and (high is None or value <= high)
            if inside and value not in values:
                values.append(value)
        if len(values) > 1:
            found[one.name] = values
    return dict(list(found.items())[:3])


# -- what a decision knew ----------------------------------------------------------------------------------------------


def look_ahead(plan: Plan, data: PriceData, compute: Compute = columns) -> Check:
    """Recompute decisions on bars that end at the decision. Session times are known beforehand and are kept."""
    wrong = []
    facts = static_facts(plan, data)
    whole = _decisions(plan, compute(plan, data.bars, facts), len(data.bars))
    sample = _sampled(whole[0] | whole[1], plan.warm_up)
    for bar in sample:
        cut = data.bars.until(bar + 1)
        seen = _decisions(plan, compute(plan, cut, _cut(facts, 0, bar + 1)), bar + 1)
        if any(bool(one[bar]) != bool(other[-1]) for one, other in zip(whole, seen, strict=True)):
            wrong.append(bar)
    figures = {"decisions": len(sample), "different": len(wrong), "at": [data.label(bar) for bar in wrong[:5]]}
    if not sample:
        return Check("look_ahead", "skipped", "신호가 없습니다", "there is no signal", figures)
    if wrong:
        return Check(
            "look_ahead", "fail", f"신호 {len(sample)}개 중 {len(wrong)}개가 미래 값을 썼습니다",
            f"{len(wrong)} of {len(sample)} decisions used later bars", figures,
        )  # fmt: skip
    return Check("look_ahead", "ok", "미래 값을 쓴 신호가 없습니다", "no decision used later bars", figures)


def warm_up(plan: Plan, data: PriceData) -> Check:
    """Recompute decisions on the last n bars only, for n from the plan's own warm-up to the live bot's window."""
    facts = static_facts(plan, data)
    whole = _decisions(plan, columns(plan, data.bars, facts), len(data.bars))
    lengths = sorted({plan.warm_up, 2 * plan.warm_up, 4 * plan.warm_up, max(LIVE_BARS, plan.warm_up)})
    different: dict[int, int] = {}
    looked: dict[int, int] = {}
    for length in lengths:
        sample = _sampled(whole[0] | whole[1], length)
        looked[length], different[length] = len(sample), 0
        for bar in sample:
            begin = bar + 1 - length
            seen = _decisions(
                plan, columns(plan, _part(data.bars, begin, bar + 1), _cut(facts, begin, bar + 1)), length
            )
            if any(bool(one[bar]) != bool(other[-1]) for one, other in zip(whole, seen, strict=True)):
                different[length] += 1
    shares = {str(n): different[n] / looked[n] * 100 for n in lengths if looked[n]}
    figures = {"history_bars": lengths, "decisions": [looked[n] for n in lengths], "different_pct": shares}
    if not shares:
        return Check("warm_up", "skipped", "신호나 봉이 모자랍니다", "too few signals or bars", figures)
    live = shares.get(str(lengths[-1]), 0.0)
    if live > 0:
        return Check(
            "warm_up", "warn", f"실제 봇이 보는 {lengths[-1]}개 봉으로는 신호의 {live:.1f}%가 달라집니다",
            f"with the {lengths[-1]} bars that the live bot keeps, {live:.1f} % of decisions differ", figures,
        )  # fmt: skip
    return Check(
        "warm_up", "ok", "짧은 과거로도 신호가 같습니다", "decisions are the same on the live bot's history", figures
    )


def _decisions(plan: Plan, values: list[Column], count: int) -> tuple[Any, Any]:
    entries = mask(plan.entry, values, count)
    positional = any(isinstance(one, FactRef) and one.fact is not Fact.MINUTES_TO_CLOSE for one in plan.sources)
    return entries, entries if positional else mask(plan.exit, values, count)


def _sampled(flags: Any, first: int) -> list[int]:
    places = np.flatnonzero(flags)
    places = places[places >= max(first - 1, 1)]
    if len(places) > _SAMPLE:
        places = places[np.linspace(0, len(places) - 1, _SAMPLE).astype(np.int64)]
    return [int(one) for one in places]


def _cut(facts: Mapping[Fact, Column], begin: int, end: int) -> dict[Fact, Column]:
    return {fact: one if isinstance(one, float) else one[begin:end] for fact, one in facts.items()}


def _part(bars: Bars, begin: int, end: int) -> Bars:
    span = slice(begin, end)
    return Bars(
        bars.starts[span], bars.open[span], bars.high[span], bars.low[span], bars.close[span], bars.volume[span]
    )


# -- how much is luck --------------------------------------------------------------------------------------------------


def _of_parameters(task: Task, choices: Mapping[str, Sequence[Number]], walked: Walked) -> list[Check]:
    if not choices:
        none = ("조절값이 없습니다", "the rule has no parameters to vary")
        return [Check(name, "skipped", *none, {}) for name in ("stability", "deflated_sharpe")]
    found = sweep(task, grid(choices))
    return [stability(task, choices, found), deflated_sharpe(walked, found, task.data)]


def stability(task: Task, choices: Mapping[str, Sequence[Number]], found: Sequence[Outcome]) -> Check:
    """Compare the chosen parameters with their neighbours; `figures` hold the heat map of the first two."""
    chosen = {one.name: one.default for one in task.rule.params if one.name in choices}
    returns = [one.return_pct for one in found if not math.isnan(one.return_pct)]
    own = next((one.return_pct for one in found if one.params == chosen), None)
    profitable = sum(one > 0 for one in returns) / len(returns) * 100 if returns else 0.0
    names = list(choices)[:2]
    figures: dict[str, Any] = {
        "combinations": len(returns), "profitable_pct": profitable, "chosen_pct": own,
        "median_pct": float(np.median(returns)) if returns else None, "axes": {name: list(choices[name]) for name in names},
        "heat_map": heat_map(found, names, choices),
    }  # fmt: skip
    if not returns:
        return Check("stability", "skipped", "셈한 조합이 없습니다", "no combination could be walked", figures)
    if own is not None and own > 0 and profitable < 50:
        return Check(
            "stability", "warn", f"이웃 조합의 {profitable:.0f}%만 이익입니다: 우연한 봉우리일 수 있습니다",
            f"only {profitable:.0f} % of the neighbours earn: a lone peak", figures,
        )  # fmt: skip
    return Check(
        "stability",
        "ok",
        f"이웃 조합의 {profitable:.0f}%가 이익입니다",
        f"{profitable:.0f} % of the neighbours earn",
        figures,
    )


def heat_map(
    found: Sequence[Outcome], names: Sequence[str], choices: Mapping[str, Sequence[Number]], figure: str = "return_pct"
) -> list[list[float | None]]:
    """Return the mean of `figure` for each pair of values: rows the first parameter, columns the second."""
    cells: dict[tuple[Number, ...], list[float]] = {}
    for one in found:
        value = getattr(one, figure)
        if value is not None and not math.isnan(value):
            cells.setdefault(tuple(one.params[name] for name in names), []).append(value)
    second = choices[names[1]] if len(names) > 1 else [None]
    return [
        [
            float(np.mean(cells[key])) if (key := (row,) if column is None else (row, column)) in cells else None
            for column in second
        ]
        for row in choices[names[0]]
    ]


def walk_forward(task: Task, choices: Mapping[str, Sequence[Number]], folds: int = 4) -> Check:
    """Choose parameters on one stretch of bars by return, trade them on the next, fold after fold."""
    count = len(task.data.bars)
    size = count // (folds + 1)
    warm = plan_of(bind(task.rule)).warm_up
    if not choices or size < 2 * warm or size < 20:
        return Check(
            "walk_forward", "skipped", "봉이나 조절값이 모자랍니다", "too few bars or no parameters", {"bars": count}
        )
    rows = []
    for fold in range(folds):
        begin, middle, end = fold * size, (fold + 1) * size, min((fold + 2) * size, count)
        trained = sweep(_over(task, begin, middle), grid(choices))
        best = max(trained, key=lambda one: -math.inf if math.isnan(one.return_pct) else one.return_pct)
        # The test stretch is preceded by the bars that indicators need; nothing can be traded on them.
        tested = sweep(_over(task, max(middle - warm, 0), end), [best.params])[0]
        rows.append(
            {
                "from": task.data.label(middle), "to": task.data.label(end - 1), "params": best.params,
                "in_sample_pct": best.return_pct, "out_of_sample_pct": tested.return_pct, "trades": tested.trades,
            }
        )  # fmt: skip
    inside = float(np.mean([row["in_sample_pct"] for row in rows]))
    outside = float(np.mean([row["out_of_sample_pct"] for row in rows]))
    efficiency = outside / inside * 100 if inside > 0 else None
    figures = {"folds": rows, "in_sample_pct": inside, "out_of_sample_pct": outside, "efficiency_pct": efficiency}
    text = f"고른 구간 {inside:+.2f}%, 다음 구간 {outside:+.2f}%", f"chosen on {inside:+.2f} %, then {outside:+.2f} %"
    return Check("walk_forward", "warn" if inside > 0 >= outside else "ok", *text, figures)


def _over(task: Task, begin: int, end: int) -> Task:
    dividends = tuple((bar - begin, amount) for bar, amount in task.data.dividends if begin <= bar < end)
    return replace(
        task, data=replace(task.data, bars=_part(task.data.bars, begin, end), warnings=(), dividends=dividends)
    )


def trade_order(walked: Walked, cash: float, seed: int = 7) -> Check:
    """Shuffle the closed trades: the same end, other paths. Reports the drawdowns of the shuffled paths."""
    pnl: FloatArray = walked.trades.closed["pnl"]
    if len(pnl) < 10:
        return Check(
            "trade_order", "skipped", "거래가 10건보다 적습니다", "fewer than ten trades", {"trades": len(pnl)}
        )
    noise = np.random.default_rng(seed)
    own = _deepest(np.concatenate(([cash], cash + np.cumsum(pnl))))
    falls = np.array(
        [_deepest(np.concatenate(([cash], cash + np.cumsum(noise.permutation(pnl))))) for _ in range(_SHUFFLES)]
    )
    worst, middle = (float(one) for one in np.percentile(falls, (5, 50)))
    figures = {"shuffles": _SHUFFLES, "own_pct": own, "median_pct": middle, "worst_5_pct": worst}
    lucky = own > middle / 2 and middle < 0
    return Check(
        "trade_order", "warn" if lucky else "ok",
        f"거래 순서만 바꿔도 낙폭이 20번에 한 번은 {worst:.1f}%보다 깊습니다 (이번 {own:.1f}%)",
        f"in one of twenty orders the drawdown is deeper than {worst:.1f} % (here {own:.1f} %)", figures,
    )  # fmt: skip


def _deepest(curve: FloatArray) -> float:
    return float((curve / np.maximum.accumulate(curve) - 1.0).min() * 100.0)


def of_best(task: Task, found: Sequence[Outcome], best: Outcome) -> Check:
    """Return deflated_sharpe of a sweep's chosen combination: every try counts, however they were chosen."""
    rule = bind(task.rule, best.params)
    walked = walk(rule, plan_of(rule), {task.symbol: task.data}, task.setting)
    return deflated_sharpe(walked, found, task.data)


def deflated_sharpe(walked: Walked, found: Sequence[Outcome], data: PriceData) -> Check:
    """Return the probability that the Sharpe ratio is above what the best of so many tries would show by luck."""
    tried = [one.sharpe / math.sqrt(SHARPE_FACTOR) for one in found if one.sharpe is not None]
    equity = _daily(walked.equity, data)
    returns = equity[1:] / equity[:-1] - 1.0
    spread = float(returns.std(ddof=1)) if len(returns) > 2 else 0.0
    if len(tried) < 2 or spread == 0.0:
        return Check(
            "deflated_sharpe",
            "skipped",
            "시도나 수익률이 모자랍니다",
            "too few tries or returns",
            {"tries": len(tried)},
        )
    own = float(returns.mean()) / spread
    normal, tries = NormalDist(), len(tried)
    luck = (1 - _EULER) * normal.inv_cdf(1 - 1 / tries) + _EULER * normal.inv_cdf(1 - 1 / (tries * math.e))
    best = math.sqrt(pvariance(tried)) * luck
    centred = (returns - returns.mean()) / returns.std()
    skew, tail = float((centred**3).mean()), float((centred**4).mean())
    error = math.sqrt(max(1 - skew * own + (tail - 1) / 4 * own * own, 1e-12))
    probability = normal.cdf((own - best) * math.sqrt(len(returns) - 1) / error)
    figures = {
        "tries": tries, "sharpe": own * math.sqrt(SHARPE_FACTOR), "by_luck": best * math.sqrt(SHARPE_FACTOR),
        "probability": probability,
    }  # fmt: skip
    return Check(
        "deflated_sharpe", "ok" if probability >= 0.95 else "warn",
        f"{tries}번 시도의 우연을 넘을 확률 {probability * 100:.0f}%",
        f"probability {probability * 100:.0f} % of being above the luck of {tries} tries", figures,
    )  # fmt: skip


def _daily(equity: FloatArray, data: PriceData) -> FloatArray:
    if data.daily:
        return equity
    last = np.append(np.flatnonzero(np.diff(data.local_days())), len(equity) - 1)
    found: FloatArray = equity[last]
    return found
