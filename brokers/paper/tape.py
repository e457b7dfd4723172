"""Tape: the market's own trades, as a stream that the exchange plays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.order import Side


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade of the market with the day's state after it: what a broker's trade frame needs. `at` is market time."""

    symbol: str
    price: Decimal
    quantity: int
    at: datetime
    side_hint: Side  # who took: BUY lifted the ask
    bid: Decimal
    ask: Decimal
    bid_quantity: int
    ask_quantity: int
    open: Decimal
    high: Decimal
    low: Decimal
    prev_close: Decimal
    cum_volume: int
    turnover: Decimal

    @property
    def change(self) -> Decimal:
        return self.price - self.prev_close
