"""What trading costs in a backtest: dated fees and taxes, slippage in ticks, order units, a share of the bar's volume.

`none` is the bar's own price for any quantity and no fee. `default` is a Korean broker's published contract with the taxes of
the trade date, one tick of slippage held inside the day's limits, order units of the date, and a tenth of a bar's volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from shared import calendars
from shared.domain.account import BrokerName, Market
from shared.domain.fees import (
    FeeContract,
    Rates,
    default_contract,
    finra_taf,
    sec_fee_per_million,
    sell_tax_split,
    trade_costs,
)
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.trading_days import TradingDays
from shared.domain.venue_rules import (
    Rounding,
    TickTable,
    limit_pct,
    order_unit,
    price_limits,
    round_to_tick,
    tick_size,
    tick_table,
)

VOLUME_PCT = 10  # of a bar's volume that one order may take under default costs
_WITHHELD_PCT = {Market.KRX: Decimal("15.4"), Market.US: Decimal(15)}  # markets.md §8: dividends


class CostsName(StrEnum):
    """`none` also means no slippage and no volume cap (design.md §8)."""

    NONE = "none"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Regime:
    """Everything that depends on the date alone; holds from `start` on. Rates are fractions of the traded amount."""

    start: date
    ticks: TickTable
    buy: Decimal
    sell: Decimal
    tax: Decimal
    rural: Decimal
    sec: Decimal
    taf_share: Decimal
    taf_cap: Decimal
    limit_pct: int
    cheap_unit: int  # order unit of cheap shares (below CHEAP)


CHEAP = Decimal(50_000)


@dataclass(frozen=True, slots=True)
class Costs:
    """The terms of one backtest. `contract` None: trades are free."""

    market: Market
    days: TradingDays
    rates: Rates
    contract: FeeContract | None
    slippage_ticks: int = 0
    volume_pct: int = 0  # 0: any quantity trades
    instrument_type: InstrumentType = InstrumentType.STOCK
    board: str = "KOSPI"

    @property
    def free(self) -> bool:
        return self.contract is None

    @property
    def has_limits(self) -> bool:
        """Whether a price may leave the day's limits: only one we moved ourselves."""
        return self.market is Market.KRX and self.slippage_ticks > 0 and self.instrument_type is not InstrumentType.ELW

    def fee(self, side: Side, quantity: int, price: Decimal, on: date) -> Decimal:
        """Return commission and taxes of a trade, in the market's currency."""
        if self.contract is None:
            return Decimal(0)
        return trade_costs(
            self.market,
            side,
            quantity,
            price,
            on,
            contract=self.contract,
            days=self.days,
            rates=self.rates,
            instrument_type=self.instrument_type,
            board=self.board,
        ).total

    def tick(self, price: Decimal, on: date) -> Decimal:
        return tick_size(self.market, price, on, instrument_type=self.instrument_type, board=self.board)

    def on_tick(self, price: float, on: date, rounding: Rounding) -> float:
        """Return a price of our choosing (a stop level) on the tick grid of its date."""
        exact = as_decimal(price)
        return float(round_to_tick(exact, self.tick(exact, on), rounding))

    def slipped(self, side: Side, price: Decimal, on: date, base: Decimal | None) -> Decimal:
        """Return the price a market order gets where the bar says `price`; `base` is the last earlier date's close."""
        if not self.slippage_ticks:
            return price
        step = self.tick(price, on) * self.slippage_ticks
        moved = price + step if side is Side.BUY else max(price - step, step)
        if base is None or not self.has_limits:
            return moved
        lower, upper = price_limits(base, on, instrument_type=self.instrument_type, board=self.board)
        if not lower <= price <= upper:
            return moved  # the day had another base (ex-rights, a first trading day): its limits are not known
        return min(moved, upper) if side is Side.BUY else max(moved, lower)

    def units(self, quantity: int, price: Decimal, on: date) -> int:
        """Return `quantity` in whole order units of the date."""
        if self.free:
            return quantity
        unit = order_unit(self.market, price, on, instrument_type=self.instrument_type, board=self.board)
        return quantity // unit * unit

    def by_volume(self, quantity: int, volume: float) -> int:
        """Return the shares of `quantity` that a bar of `volume` lets us trade."""
        if not self.volume_pct:
            return quantity
        return min(quantity, math.floor(volume * float(self.volume_pct) / 100.0))

    def net_dividend(self, amount: float) -> Decimal:
        """Return what a share's dividend leaves after withholding (nothing is withheld without costs)."""
        exact = as_decimal(amount)
        kept = exact if self.free else exact * (100 - _WITHHELD_PCT[self.market]) / 100
        return kept.quantize(Decimal("1e-8"))

    def regimes(self) -> tuple[Regime, ...]:
        """Return every set of dated rules and rates, oldest first; the first reaches back for ever."""
        return _regimes(self)


def costs_for(
    name: CostsName | str,
    market: Market,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> Costs:
    """Return the costs called `name`; the default contract is KIS's published online rate."""
    known = calendars.load()
    days = known.krx if market is Market.KRX else known.us
    if CostsName(name) is CostsName.NONE:
        return Costs(market, days, known.rates, None, instrument_type=instrument_type, board=board)
    contract = default_contract(BrokerName.KIS, market, instrument_type)
    return Costs(market, days, known.rates, contract, 1, VOLUME_PCT, instrument_type, board)


_KEPT: dict[tuple[object, ...], tuple[Regime, ...]] = {}
_SETTLES_AFTER = timedelta(days=20)  # a rate's first trade date lies so close before its settlement date


def _regimes(costs: Costs) -> tuple[Regime, ...]:
    key = (costs.market, costs.contract, costs.instrument_type, costs.board, id(costs.rates))
    if key not in _KEPT:
        dates = {one.start for rows in costs.rates.rows.values() for one in rows} | set(_RULE_DATES)
        found: list[Regime] = [_regime(costs, date(1990, 1, 1))]
        for day in sorted(dates):
            before = day - _SETTLES_AFTER
            while before <= day:
                now = _regime(costs, before)
                if before > found[-1].start and _differ(now, found[-1]):
                    found.append(now)
                before += timedelta(days=1)
        _KEPT[key] = tuple(found)
    return _KEPT[key]


# The dates on which tick tables, limits and order units changed (venue_rules.py); a test walks every day since 2000.
_RULE_DATES = (date(2014, 6, 2), date(2015, 6, 15), date(2023, 1, 25), date(2023, 12, 18))


def _differ(one: Regime, other: Regime) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in Regime.__slots__ if name != "start")


def _regime(costs: Costs, on: date) -> Regime:
    kind, board, market = costs.instrument_type, costs.board, costs.market
    nothing = Decimal(0)
    contract = costs.contract
    taxes = (nothing, nothing)
    if market is Market.KRX and contract is not None:
        taxes = sell_tax_split(on, costs.days, costs.rates, instrument_type=kind, board=board)
    us = market is Market.US and contract is not None
    unit = 1 if contract is None else order_unit(market, Decimal(1), on, instrument_type=kind, board=board)
    limits = limit_pct(on, instrument_type=kind, board=board) if market is Market.KRX else None
    return Regime(
        start=on,
        ticks=tick_table(market, on, instrument_type=kind, board=board),
        buy=nothing if contract is None else contract.buy_pct / 100,
        sell=nothing if contract is None else contract.sell_pct / 100,
        tax=taxes[0] / 100,
        rural=taxes[1] / 100,
        sec=sec_fee_per_million(on, costs.rates) / 1_000_000 if us else nothing,
        taf_share=finra_taf(1, on, costs.rates) if us and contract and contract.passes_taf else nothing,
        taf_cap=costs.rates.at("us_taf_cap", on) if us else nothing,
        limit_pct=0 if limits is None else int(limits),
        cheap_unit=unit,
    )


@lru_cache(maxsize=4096)
def as_decimal(price: float) -> Decimal:
    """Return the shortest decimal that reads back as `price`, cut to the eight decimals that prices have at most."""
    return Decimal(repr(round(price, 8)))
