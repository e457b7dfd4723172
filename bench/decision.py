"""A tick's text → a rule's decision, against the least that plain Python can do; a hundred rules on one tick; explaining.

Four indicators (SMA 10 and 30, RSI 14, Bollinger 20) and a rule of three conditions, judged on every tick of a forming bar. The
first two conditions hold and the last does not: a rule stops at the first that fails, and here none may be spared.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bench.plain_python import decider, latencies, messages, nanoseconds
from bots.chart import Chart
from bots.rules.evaluate import evaluate
from bots.rules.series import BarWindow, MarketView
from brokers.kis.frames import lone_tick
from shared.domain.market import Bar, Tick, Timeframe
from shared.domain.rule.model import Rule
from shared.domain.rule.parse import parse_rule

RULE = """
metadata: {name: four indicators}
strategy:
  id: four
  timeframe: 1m
  evaluate: tick
  indicators:
    - {id: sma, alias: fast, params: {period: 10}}
    - {id: sma, alias: slow, params: {period: 30}}
    - {id: rsi, alias: rsi, params: {period: 14}}
    - {id: bollinger, alias: band, params: {period: 20, std: 2}}
  entry:
    conditions:
      - {indicator: fast, operator: not_equal, compare_to: slow}
      - {indicator: rsi, operator: less_equal, value: 100}
      - {indicator: close, operator: less_than, compare_to: band, compare_output: lower, compare_scalar: 0.5, compare_operation: mul}
risk: {stop_loss: {enabled: true, percent: 5}}
"""
NOW = datetime(2026, 11, 20, 1, 0, 20, tzinfo=UTC)
PAST, TICKS = 400, 4_000


def chart_of(symbol: str) -> Chart:
    """A chart with a day's past, as a bot has after its start."""
    chart = Chart(ZoneInfo("Asia/Seoul"))
    key = (symbol, Timeframe.M1)
    chart.want({key})
    start = NOW.replace(second=0) - timedelta(minutes=PAST)
    bars = []
    for i in range(PAST):
        price = Decimal(70_000 + 100 * ((i * i + 5 * i) % 53 - 26))
        bars.append(
            Bar(symbol, Timeframe.M1, start + timedelta(minutes=i), price, price + 50, price - 50, price, 10, True)
        )
    chart.seed(key, bars)
    return chart


def run() -> None:
    told = messages(TICKS, "20261120")
    floor_ns, floor_spread = nanoseconds(decider(), told)
    floor_50, floor_99 = latencies(decider(), told * 3)
    print(
        f"decision floor (plain Python): {floor_ns:,.0f} ns ({floor_spread:.0f} %), p50 {floor_50:.1f} p99 {floor_99:.1f} µs"
    )

    rule = parse_rule(RULE)
    chart = chart_of("005930")
    window = chart.window("005930", Timeframe.M1)
    assert window is not None

    def decoded(message: str) -> Tick:
        tick = lone_tick(message, NOW)
        assert tick is not None
        return tick

    ticks = [decoded(one) for one in told]
    for one in ticks:
        chart.on_tick(one)

    def whole(message: str) -> object:
        tick = lone_tick(message, NOW)
        chart.on_tick(tick)
        return evaluate(rule, MarketView("005930", NOW, window, False, window.now[3]))

    rows = [("text → Tick", decoded, told), ("Tick → bar", chart.on_tick, ticks), ("bar → decision", judged_after_put(window, rule), ticks),
            ("text → decision", whole, told)]  # fmt: skip
    for name, run_one, given in rows:
        ns, spread = nanoseconds(run_one, given)
        p50, p99 = latencies(run_one, given)
        print(
            f"  {name:16} {ns:8,.0f} ns ({spread:3.0f} %)  p50 {p50:6.1f} p99 {p99:6.1f} µs  {p50 / floor_50:5.2f} × floor"
        )
    _hundred(window, ticks)
    _explained(window, rule, ticks)


def judged_after_put(window: BarWindow, rule: Rule):
    """Judge as after a new price: the forming bar's numbers changed."""

    def run_one(tick: Tick) -> object:
        price = float(tick.price)
        window.now = (price, price, price, price, 1.0)
        window.puts += 1
        return evaluate(rule, _view(window, price))

    return run_one


def _view(window: BarWindow, price: float) -> MarketView:
    return MarketView("005930", NOW, window, False, price)


def _hundred(window: BarWindow, ticks: list[Tick]) -> None:
    """A hundred rules, each with periods of its own, on one tick."""
    many = [
        parse_rule(RULE.replace("period: 10", f"period: {2 + i % 9}").replace("period: 30", f"period: {12 + i}"))
        for i in range(100)
    ]

    def run_all(tick: Tick) -> None:
        price = float(tick.price)
        window.now = (price, price, price, price, 1.0)
        window.puts += 1
        view = _view(window, price)
        for one in many:
            evaluate(one, view)

    for tick in ticks[:200]:
        run_all(tick)
    p50, p99 = latencies(run_all, ticks[:2_000])
    print(f"  100 rules on a tick: p50 {p50:,.0f} p99 {p99:,.0f} µs (aim: p99 ≤ 1,000)")


def _explained(window: BarWindow, rule: Rule, ticks: list[Tick]) -> None:
    """What keeping an explanation costs: the compared numbers are kept, their words are made when somebody looks."""
    from bots.rules.judging import Trace

    judge = judged_after_put(window, rule)
    whole, _ = nanoseconds(judge, ticks)
    kept, _ = nanoseconds(lambda tick: Trace((), None, (), (), None), ticks)
    nothing, _ = nanoseconds(lambda tick: None, ticks)
    told, _ = nanoseconds(lambda tick: tuple(judge(tick).steps), ticks)  # type: ignore[attr-defined]
    print(
        f"  explaining: kept {kept - nothing:,.0f} of {whole:,.0f} ns ({100 * (kept - nothing) / whole:.1f} %), told {told - whole:,.0f} ns"
    )


if __name__ == "__main__":
    run()
