"""What the replay engine keeps of a symbol, a position and a trade date."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np

from bots.backtest.costs import as_decimal
from bots.backtest.data import PriceData
from bots.rules.conditions import Column
from shared.domain.instrument import Instrument


@dataclass(slots=True)
class Position:
    quantity: int
    entry: int
    price: float  # of the entry fill
    high: float
    paid: Decimal  # still to be earned back: amount and fee, less dividends
    loss: float | None
    target: float


@dataclass(slots=True)
class Day:
    """What the guards count per trade date."""

    on: date | None = None
    bought: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)
    orders: int = 0
    halted: bool = False  # the loss has once reached the limit, as at an order


@dataclass(slots=True)
class Desk:
    """One symbol: its bars as lists (a Python loop reads lists faster than arrays), its conditions, its position."""

    place: int
    instrument: Instrument
    data: PriceData
    values: list[Column]
    opens: list[float]
    highs: list[float]
    lows: list[float]
    closes: list[float]
    volumes: list[float]
    entries: list[bool]
    exits: list[bool] | None  # None: they look at the position and are judged bar by bar
    dividends: dict[int, Decimal]
    bar_seconds: int
    position: Position | None = None
    spent: Decimal = Decimal(0)  # what the shares held were bought for, fees aside
    pending: str = ""  # "buy", or the reason of a sale, to be done at the next open
    risk: Decimal | None = None  # what a share risks by ATR, as of the last decision to buy
    free: int = 0  # the first bar whose close may enter again
    mark: float = 0.0
    dates: dict[int, date] = field(default_factory=dict)
    bases: dict[date, Decimal | None] = field(default_factory=dict)

    def on(self, bar: int) -> date:
        found = self.dates.get(bar)
        if found is None:
            found = self.dates[bar] = self.data.trade_date(bar)
        return found

    def base(self, bar: int) -> Decimal | None:
        """The close of the last bar of an earlier date."""
        on = self.on(bar)
        if on not in self.bases:
            midnight = int(datetime.combine(on, time(), self.data.zone).timestamp())
            before = int(np.searchsorted(self.data.bars.starts, midnight)) - 1
            self.bases[on] = as_decimal(self.closes[before]) if before >= 0 else None
        return self.bases[on]
