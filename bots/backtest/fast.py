"""The fast engine: conditions for all bars at once, then one walk that follows the path of prices, stops and cash.

Meaning (design.md §8): a signal at a bar's close fills at the next open (or at that close). Stops are looked for within each
bar from the entry on, at the level itself on its tick (a gap through it fills at the open); where one bar reaches stop and
target, the stop counts, unless the bar opened beyond the target. The trailing stop knows the highs of earlier bars only.
What a bar's volume does not give is not bought; what it does not take is sold at the next bars' opens.

The walk is compiled code (native/). Where the machine has none, and for rules whose orders wait or come in steps
(resting.py), it is the replay engine: the same trades, slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from bots.backtest.data import PriceData
from bots.rules.plan import Plan
from bots.rules.series import FloatArray
from shared.domain.order import Side
from shared.domain.rule.model import Fact, FactRef, Sizing, SizingMode

ALL_IN = Sizing(SizingMode.EQUITY_PCT, 100)  # the default of backtests (design.md §7)


class Fill(StrEnum):
    NEXT_OPEN = "next_open"
    CLOSE = "close"


REASONS = (  # by number in the trade log; the compiled walk knows the first six
    "open", "exit", "time_stop", "stop_loss", "trailing_stop", "take_profit", "grid_sell", "rebalance_sell",
)  # fmt: skip
LOG = np.dtype(
    [
        ("entry", "<i8"),
        ("exit", "<i8"),  # -1: still open
        ("quantity", "<i8"),
        ("entry_price", "<f8"),
        ("exit_price", "<f8"),
        ("pnl", "<f8"),
        ("symbol", "<i4"),
        ("reason", "<i4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip by bar numbers; an open one has no exit, and `pnl` is then at the last close. Costs are in `pnl`.

    A position sold in several pieces is several trades. `symbol` is its place among the backtest's symbols.
    """

    entry: int
    entry_price: float
    exit: int | None
    exit_price: float | None
    quantity: int
    pnl: float
    reason: str  # why it was closed; "open" while it is not
    symbol: int = 0


class Trades(Sequence[Trade]):
    """Trades as the columns of one array; a Trade is made when it is asked for."""

    def __init__(self, log: NDArray[Any]) -> None:
        self.log = log

    @classmethod
    def of(cls, trades: Sequence[Trade]) -> Trades:
        log = np.zeros(len(trades), LOG)
        for place, one in enumerate(trades):
            out = -1 if one.exit is None else one.exit
            price = np.nan if one.exit_price is None else one.exit_price
            number = REASONS.index(one.reason)
            log[place] = (one.entry, out, one.quantity, one.entry_price, price, one.pnl, one.symbol, number)
        return cls(log)

    def __len__(self) -> int:
        return len(self.log)

    @overload
    def __getitem__(self, index: int) -> Trade: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Trade]: ...
    def __getitem__(self, index: int | slice) -> Trade | Sequence[Trade]:
        if isinstance(index, slice):
            return Trades(self.log[index])
        entry, out, quantity, entry_price, exit_price, pnl, symbol, reason = self.log[index].item()
        ended = out >= 0
        return Trade(
            entry,
            entry_price,
            out if ended else None,
            exit_price if ended else None,
            quantity,
            pnl,
            REASONS[reason],
            symbol,
        )

    @property
    def closed(self) -> NDArray[Any]:
        """The rows of trades that ended."""
        rows: NDArray[Any] = self.log[self.log["exit"] >= 0]
        return rows


@dataclass(frozen=True, slots=True)
class Execution:
    """One purchase or sale by bar number; `symbol` is its place among the backtest's symbols."""

    bar: int
    side: Side
    quantity: int
    price: float
    reason: str
    symbol: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Trades, equity at each close, signals that cash did not pay for, and orders that volume cut.

    `fills` are single purchases and sales, told by rules in steps only: of others, a trade has one of each.
    """

    trades: Trades
    equity: FloatArray
    unaffordable: int
    thin: int = 0
    fills: tuple[Execution, ...] = ()


def minutes_to_close(data: PriceData) -> FloatArray:
    """Minutes from each bar's close to the close of its date's last bar: the file's bars are the sessions."""
    starts = data.bars.starts
    days = data.local_days()
    last = starts[np.searchsorted(days, days, side="right") - 1]
    return (last - starts) / 60.0


def static_facts(plan: Plan, data: PriceData) -> dict[Fact, FloatArray | float]:
    """Return the facts that do not depend on a position."""
    return {Fact.MINUTES_TO_CLOSE: minutes_to_close(data)} if FactRef(Fact.MINUTES_TO_CLOSE) in plan.sources else {}


def sizing_of(plan: Plan, symbols: int = 1) -> Sizing:
    """Return the rule's sizing; without one, all equity in equal shares, cut to the eight decimals that engines count in."""
    return plan.rule.sizing or (ALL_IN if symbols == 1 else Sizing(SizingMode.EQUITY_PCT, 10**10 // symbols / 10**8))
