"""Commissions and taxes by date (markets.md §8): what a trade costs, as a Korean broker would book it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from shared.domain.account import BrokerName, Market
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.trading_days import TradingDays

_WON, _CENT = Decimal(1), Decimal("0.01")
_NO_TAX = Decimal("0.00")
OVERSEAS_GAINS_ALLOWANCE_KRW = Decimal(2_500_000)  # a calendar year, by settlement date
OVERSEAS_GAINS_TAX_PCT = Decimal(22)  # 20 % and 2 % local tax


@dataclass(frozen=True, slots=True)
class Rate:
    """A value and the date from which it holds."""

    start: date
    value: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Dated rates by name; each list newest first."""

    rows: Mapping[str, tuple[Rate, ...]]

    def at(self, name: str, on: date) -> Decimal:
        """Return the rate in force on `on`; before the first row, the earliest. An unknown name is a KeyError."""
        rows = self.rows[name]
        return next((row.value for row in rows if on >= row.start), rows[-1].value)


@dataclass(frozen=True, slots=True)
class FeeContract:
    """What an account pays its broker, in percent of the traded amount (0.25 is 0.25 %)."""

    buy_pct: Decimal
    sell_pct: Decimal
    passes_taf: bool = True  # whether the broker charges FINRA's fee on


@dataclass(frozen=True, slots=True)
class Costs:
    """What is taken from one trade, in the market's currency. US regulatory fees count as tax (제세금)."""

    commission: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.commission + self.tax


def default_contract(
    broker: BrokerName, market: Market, instrument_type: InstrumentType = InstrumentType.STOCK
) -> FeeContract:
    """Return the published online rate of `broker`; an account's own contract replaces it."""
    if market is Market.US:
        pct = Decimal("0.25")
    elif broker is BrokerName.LS:
        pct = Decimal("0.015")
    else:
        pct = Decimal("0.0140527") if instrument_type is InstrumentType.STOCK else Decimal("0.0146527")
    return FeeContract(pct, pct)


def trade_costs(
    market: Market,
    side: Side,
    quantity: int,
    price: Decimal,
    on: date,
    *,
    contract: FeeContract,
    days: TradingDays,
    rates: Rates,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> Costs:
    """Return the costs of `quantity` shares traded at `price` on trade date `on`.

    Won amounts are cut below one won, each tax line on its own; dollar commissions are rounded to the cent, US
    regulatory fees up to it. The contract is a rate only: brokers of ours have no minimum.
    """
    amount = price * quantity
    pct = contract.buy_pct if side is Side.BUY else contract.sell_pct
    if market is Market.KRX:
        lines = sell_tax_split(on, days, rates, instrument_type=instrument_type, board=board)
        taxes = [_cut(amount * line / 100) for line in lines] if side is Side.SELL else []
        return Costs(_cut(amount * pct / 100), sum(taxes, Decimal(0)))
    commission = (amount * pct / 100).quantize(_CENT, rounding=ROUND_HALF_UP)
    if side is Side.BUY:
        return Costs(commission, Decimal(0))
    taf = finra_taf(quantity, on, rates) if contract.passes_taf else Decimal(0)
    return Costs(commission, _cent_up(amount * sec_fee_per_million(on, rates) / 1_000_000) + _cent_up(taf))


def sell_tax_split(
    trade_date: date,
    days: TradingDays,
    rates: Rates,
    *,
    instrument_type: InstrumentType = InstrumentType.STOCK,
    board: str = "KOSPI",
) -> tuple[Decimal, Decimal]:
    """Return (securities transaction tax, rural special tax) in percent of a Korean sale on `trade_date`.

    The rates are those of the settlement date. Only shares are taxed; the rural tax is KOSPI's.
    """
    if instrument_type is not InstrumentType.STOCK:
        return _NO_TAX, _NO_TAX
    settles = days.settle_date(trade_date) if trade_date >= days.first else trade_date
    rural = rates.at("krx_rural_tax_pct.KOSPI", settles) if board == "KOSPI" else _NO_TAX
    return rates.at(f"krx_securities_tax_pct.{board}", settles), rural


def sec_fee_per_million(on: date, rates: Rates) -> Decimal:
    """Return the Section 31 fee in dollars per million dollars sold on `on`."""
    return rates.at("us_sec_fee_per_million", on)


def finra_taf(quantity: int, on: date, rates: Rates) -> Decimal:
    """Return FINRA's trading activity fee in dollars for `quantity` shares sold in one trade, capped, not rounded."""
    return min(quantity * rates.at("us_taf_per_share", on), rates.at("us_taf_cap", on))


def overseas_gains_tax(net_gain_krw: Decimal) -> Decimal:
    """Return the tax in won on a calendar year's net gain from overseas shares, cut below one won."""
    taxable = max(Decimal(0), net_gain_krw - OVERSEAS_GAINS_ALLOWANCE_KRW)
    return _cut(taxable * OVERSEAS_GAINS_TAX_PCT / 100)


def _cut(amount: Decimal) -> Decimal:
    return amount.quantize(_WON, rounding=ROUND_FLOOR)


def _cent_up(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_CEILING)
