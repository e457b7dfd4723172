"""A Python rule in the replay engine: its code is asked at every bar's close and told of every fill, as in the bot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from bots.backtest.data import PriceData
from bots.backtest.fast import minutes_to_close
from bots.rules.python_strategy import RESEARCH_DEADLINE_S, PythonStrategy
from bots.rules.series import FillTold, Holding, MarketView
from shared.domain.order import Side
from shared.domain.rule.model import Risk, Rule
from shared.domain.signal import Verdict


class Held(Protocol):
    """A position as the engine keeps it."""

    quantity: int
    entry: int  # bar
    price: float
    high: float


class Code:
    """The rule's code in its child. The engine judges the stops itself, within the bar."""

    def __init__(self, rule: Rule, data: dict[str, PriceData]) -> None:
        self._strategy = PythonStrategy(replace(rule, risk=Risk()), deadline_s=RESEARCH_DEADLINE_S)
        self._data = data
        self._minutes = {symbol: minutes_to_close(one) for symbol, one in data.items()}
        self._wanted: dict[str, int | None] = {}

    def signals(self, symbol: str, bar: int, price: float, held: Held | None) -> bool:
        """Say whether it wants to trade at this bar's close. Raises StrategyFault, FenceMissing."""
        holding = None
        if held is not None:
            holding = Holding(held.quantity, held.price, bar - held.entry, max(held.high, price))
        bars, minutes = self._data[symbol].bars.until(bar + 1), float(self._minutes[symbol][bar])
        view = MarketView(symbol, self._closed_at(symbol, bar), bars, True, price, holding, minutes)
        said = self._strategy.decide(view)
        self._wanted[symbol] = said.quantity
        return said.verdict is not Verdict.HOLD

    def shares(self, symbol: str) -> int | None:
        """How many it asked to buy; None: the rule's sizing."""
        return self._wanted.get(symbol)

    def filled(self, symbol: str, bar: int, side: Side, quantity: int, price: float) -> None:
        self._strategy.tell_fill(FillTold(symbol, side, quantity, price, self._closed_at(symbol, bar)))

    def close(self) -> None:
        self._strategy.end()

    def _closed_at(self, symbol: str, bar: int) -> datetime:
        data = self._data[symbol]
        return datetime.fromtimestamp(int(data.bars.starts[bar]) + data.seconds_per_bar(), UTC)
