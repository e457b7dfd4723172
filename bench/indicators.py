"""Indicators: one step on a forming bar against plain Python's incremental ones; a million values against bare TA-Lib."""

from __future__ import annotations

import time

import numpy as np

from bench.plain_python import Average, Band, Smoothed, Strength, nanoseconds
from bots.rules.indicators import output_of
from bots.rules.peeks import formula_of
from bots.rules.plan import plan_of
from bots.rules.series import Bars
from bots.rules.stepping import Stepped, stepped_of
from bots.rules.talib_door import talib
from shared.domain.rule import model as m

MILLION, TICKS = 1_000_000, 20_000
CASES = (
    ("SMA(20)", m.Indicator("sma", "x", (("period", 20),)), Average(20), lambda x: talib.SMA(x, 20)),
    ("EMA(20)", m.Indicator("ema", "x", (("period", 20),)), Smoothed(20), lambda x: talib.EMA(x, 20)),
    ("RSI(14)", m.Indicator("rsi", "x", (("period", 14),)), Strength(14), lambda x: talib.RSI(x, 14)),
    ("BB(20,2)", m.Indicator("bollinger", "x", (("period", 20), ("std", 2))), Band(20), lambda x: talib.BBANDS(x, 20, 2.0, 2.0)),
)  # fmt: skip


def run() -> None:
    random = np.random.default_rng(5)
    close = 70_000.0 + np.cumsum(random.integers(-100, 101, MILLION)).astype(np.float64)
    million = Bars(np.arange(MILLION), close, close, close, close, np.ones(MILLION))
    past = million.until(500)
    prices = close[500 : 500 + TICKS].tolist()
    rows = [(one, one, one, one, 1.0) for one in prices]
    for name, indicator, floor, bare in CASES:
        call = output_of(indicator, None).call
        step = _stepped(indicator, past).enters  # the very function that a tick asks: the step, and one comparison
        floor_ns, _ = nanoseconds(floor.update, prices)
        step_ns, spread = nanoseconds(step, rows)
        closing = _seconds(lambda: _stepped(indicator, past)) * 1e9  # noqa: B023
        ours, theirs = _seconds(lambda: call.compute(million)), _seconds(lambda: bare(close))  # noqa: B023
        print(
            f"{name:9} step {step_ns:5.0f} ns ({spread:.0f} %) = {step_ns / floor_ns:.2f} × plain Python {floor_ns:.0f} ns; "
            f"at a bar's close {closing / 1000:.0f} µs; batch {ours * 1000:.1f} ms = {ours / theirs:.2f} × TA-Lib"
        )


def _stepped(indicator: m.Indicator, past: Bars) -> Stepped:
    """A rule of this one indicator, as a bar's close leaves it."""
    held = m.Comparison(m.IndicatorRef("x"), m.Operator.GREATER_THAN, m.Constant(0))
    either = m.Group(m.Logic.ALL, (held,))
    plan = plan_of(m.Rule(m.Metadata("x"), "x", either, either, indicators=(indicator,)))
    [call] = plan.calls
    how = formula_of(call, past, call.compute(past))
    assert how is not None
    return stepped_of(plan, [how], [0.0] * len(plan.sources))


def _seconds(work: object, runs: int = 9) -> float:
    timed = []
    for _ in range(runs):
        started = time.perf_counter()
        work()  # type: ignore[operator]
        timed.append(time.perf_counter() - started)
    return min(timed)


if __name__ == "__main__":
    run()
