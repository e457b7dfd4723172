"""What trading costs in a backtest: dated fees and taxes, slippage in ticks, prices on the tick grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from shared import calendars
from shared.domain.account import BrokerName, Market
from shared.domain.fees import FeeContract, Rates, default_contract, trade_costs
from shared.domain.order import Side
from shared.domain.trading_days import TradingDays
from shared.domain.venue_rules import Rounding, round_to_tick, tick_size


class CostsName(StrEnum):
    """`none` also means no slippage (design.md §8)."""

    NONE = "none"
    DEFAULT = "default"


class Costs(Protocol):
    """What one trade costs, and how far from the bar's price it fills."""

    def fee(self, side: Side, quantity: int, price: float, on: date) -> float:
        """Return commission and taxes of a trade, in the market's currency."""
        ...

    def slipped(self, side: Side, price: float, on: date) -> float:
        """Return the price a market order gets where the bar says `price`."""
        ...


@dataclass(frozen=True, slots=True)
class NoCosts:
    """Trades are free and fill at the bar's own price."""

    def fee(self, side: Side, quantity: int, price: float, on: date) -> float:
        return 0.0

    def slipped(self, side: Side, price: float, on: date) -> float:
        return price


@dataclass(frozen=True, slots=True)
class DatedCosts:
    """A Korean broker's published contract, the taxes of the trade date, and some ticks of slippage per trade."""

    market: Market
    contract: FeeContract
    days: TradingDays
    rates: Rates
    slippage_ticks: int = 1

    def fee(self, side: Side, quantity: int, price: float, on: date) -> float:
        exact = as_decimal(price)
        costs = trade_costs(
            self.market, side, quantity, exact, on, contract=self.contract, days=self.days, rates=self.rates
        )
        return float(costs.total)

    def slipped(self, side: Side, price: float, on: date) -> float:
        step = float(tick_size(self.market, as_decimal(price), on)) * self.slippage_ticks
        return price + step if side is Side.BUY else max(price - step, step)


def costs_for(name: CostsName, market: Market) -> Costs:
    """Return the costs called `name`; the default contract is KIS's published online rate."""
    if name is CostsName.NONE:
        return NoCosts()
    known = calendars.load()
    days = known.krx if market is Market.KRX else known.us
    return DatedCosts(market, default_contract(BrokerName.KIS, market), days, known.rates)


def on_tick(market: Market, price: float, on: date, rounding: Rounding) -> float:
    """Return a price of our choosing (a stop level) on the tick grid of its date."""
    exact = as_decimal(price)
    return float(round_to_tick(exact, tick_size(market, exact, on), rounding))


def as_decimal(price: float) -> Decimal:
    """Return the shortest decimal that reads back as `price`, cut to the eight decimals that prices have at most."""
    return Decimal(repr(round(price, 8)))
