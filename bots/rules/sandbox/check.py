"""Try a strategy on sample bars behind its fence: does it load, answer, and answer in time?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sin

import numpy as np

from bots.rules.python_strategy import PythonStrategy
from bots.rules.sandbox.faults import StrategyFault
from bots.rules.series import Bars, FillTold, Holding, MarketView
from shared.domain.errors import ConfigError
from shared.domain.order import Side
from shared.domain.rule.model import EvaluateOn, Rule
from shared.domain.signal import Decision, Verdict

BARS = 250
SHARES = 10
CALL_S = 1.0
ALL_S = 30.0
_TICK_EVERY = 5  # bars between two tries of on_tick
_START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a strategy came. `error` None: through all bars without a fault."""

    fence: str
    bars: int
    signals: int
    calls: frozenset[str]
    error: ConfigError | None = None


def try_out(rule: Rule) -> Tried:
    """Run a Python rule over the sample bars, its own position with it. Nothing it returns is passed on."""
    strategy = PythonStrategy(replace(rule, evaluate=EvaluateOn.TICK), deadline_s=CALL_S)
    walk = _Walk(strategy)
    error: ConfigError | None = None
    try:
        strategy.start()
        walk.run()
    except ConfigError as e:
        error = e
    finally:
        strategy.end()
    return Tried(strategy.fence, walk.bars, walk.signals, strategy.calls, error)


@dataclass(slots=True)
class _Walk:
    strategy: PythonStrategy
    bars: int = 0
    signals: int = 0
    held: Holding | None = None

    def run(self) -> None:
        sample, symbol = sample_bars(self.strategy.rule.timeframe.seconds), "SAMPLE"
        until = time.monotonic() + ALL_S
        for count in range(1, BARS + 1):
            if time.monotonic() > until:
                raise StrategyFault("deadline")
            seen, price = sample.until(count), float(sample.close[count - 1])
            at = _START + timedelta(seconds=count * self.strategy.rule.timeframe.seconds)
            if self.held is not None:
                highest = max(self.held.high_water, price)
                self.held = replace(self.held, bars_since_entry=self.held.bars_since_entry + 1, high_water=highest)
            self._take(self.strategy.decide(MarketView(symbol, at, seen, True, price, self.held)), price, at)
            if count % _TICK_EVERY == 0:
                view = MarketView(symbol, at + timedelta(seconds=1), seen, False, price, self.held)
                self._take(self.strategy.decide(view), price, at)
            self.bars = count

    def _take(self, decision: Decision, price: float, at: datetime) -> None:
        if decision.verdict is Verdict.HOLD:
            return
        self.signals += 1
        side = Side.BUY if decision.verdict is Verdict.BUY else Side.SELL
        quantity = (decision.quantity or SHARES) if self.held is None else self.held.quantity
        self.held = Holding(quantity, price, 0, price) if side is Side.BUY else None
        self.strategy.tell_fill(FillTold(decision.symbol, side, quantity, price, at))


def sample_bars(seconds: int) -> Bars:
    """Bars with a trend, a swing and some roughness, the same every time."""
    places = np.arange(BARS)
    close = np.array(
        [100.0 + 8.0 * sin(n / 11.0) + 3.0 * sin(n / 3.7) + 0.02 * n + (n * 7919 % 13) / 10 for n in places]
    )
    opened = np.concatenate(([close[0]], close[:-1]))
    reach = 0.3 + (places * 104729 % 7) / 10
    return Bars(
        starts=(int(_START.timestamp()) + places * seconds).astype(np.int64),
        open=opened,
        high=np.maximum(opened, close) + reach,
        low=np.minimum(opened, close) - reach,
        close=close,
        volume=(10_000 + (places * 31 % 17) * 250).astype(np.float64),
    )
