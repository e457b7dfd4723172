"""What a Korean trade frame says beyond the trade itself: the day's buys and sells, and when its extremes were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.formats import KST, clock6
from brokers.paper.tape import Trade
from shared.domain.order import Side


@dataclass(slots=True)
class DayTally:
    """Counted from the first trade that was seen of the day."""

    on: date
    open_time: str
    high_time: str
    low_time: str
    high: Decimal
    low: Decimal
    sold: int = 0  # shares traded at the bid
    sells: int = 0  # number of such trades
    bought: int = 0
    buys: int = 0

    @property
    def strength_pct(self) -> Decimal:
        """체결강도: shares bought per hundred shares sold."""
        return Decimal(self.bought) / self.sold * 100 if self.sold else Decimal(0)


class Tallies:
    """One tally per symbol and day, fed by the exchange's trades."""

    def __init__(self, exchange: Exchange) -> None:
        self._days: dict[str, DayTally] = {}  # symbol -> today
        exchange.subscribe_trades(self.add)

    def of(self, symbol: str) -> DayTally | None:
        return self._days.get(symbol)

    def add(self, trade: Trade) -> None:
        on, at = trade.at.astimezone(KST).date(), clock6(trade.at)
        day = self._days.get(trade.symbol)
        if day is None or day.on != on:
            day = self._days[trade.symbol] = DayTally(on, at, at, at, trade.high, trade.low)
        if trade.high > day.high:
            day.high, day.high_time = trade.high, at
        if trade.low < day.low:
            day.low, day.low_time = trade.low, at
        if trade.side_hint is Side.BUY:
            day.bought, day.buys = day.bought + trade.quantity, day.buys + 1
        else:
            day.sold, day.sells = day.sold + trade.quantity, day.sells + 1
