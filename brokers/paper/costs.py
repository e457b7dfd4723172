"""Costs: what a trade costs here and when it settles, by the market's date (markets.md §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from brokers.paper.listings import Listing
from shared.calendars import load
from shared.domain.account import BrokerName, Market
from shared.domain.fees import FeeContract, default_contract, trade_costs
from shared.domain.order import Side
from shared.domain.trading_days import OutsideCalendar

ZERO = Decimal(0)
# What a dividend loses on its way (markets.md §8): 15.4 % in Korea, 15 % by treaty in the US.
WITHHELD_PCT = {Market.KRX: Decimal("15.4"), Market.US: Decimal(15)}
_SETTLES_AFTER = {Market.KRX: 2, Market.US: 1}  # weekdays, beyond the years the calendar knows


class CostMode(StrEnum):
    NONE = "none"
    DEFAULT = "default"  # the broker's published online rates and the taxes of the day


@dataclass(frozen=True, slots=True)
class Costs:
    mode: CostMode

    @property
    def free(self) -> bool:
        return self.mode is CostMode.NONE

    def commission(self, broker: BrokerName, listing: Listing, amount: Decimal, on: date) -> Decimal:
        """The commission on all that one order traded so far: rounded once, so parts never cost more than the whole."""
        if self.free or not amount:
            return ZERO
        return self._of(broker, listing, Side.BUY, 1, amount, on)[0]

    def tax(self, broker: BrokerName, listing: Listing, side: Side, quantity: int, price: Decimal, on: date) -> Decimal:
        """Taxes and regulatory fees of one execution."""
        if self.free or side is Side.BUY:
            return ZERO
        return self._of(broker, listing, side, quantity, price, on)[1]

    def affordable(self, broker: BrokerName, listing: Listing, cash: Decimal, price: Decimal, on: date) -> int:
        """Shares that `cash` buys at `price`, commission included."""
        pct = ZERO if self.free else _contract(broker, listing).buy_pct
        shares = int(cash // (price * (1 + pct / 100)))
        while shares and shares * price + self.commission(broker, listing, shares * price, on) > cash:
            shares -= 1
        return shares

    def withheld(self, market: Market, gross: Decimal) -> Decimal:
        """The tax taken from a dividend, to the won or cent below."""
        if self.free:
            return ZERO
        unit = Decimal(1) if market is Market.KRX else Decimal("0.01")
        return gross * WITHHELD_PCT[market] / 100 // unit * unit

    def _of(
        self, broker: BrokerName, listing: Listing, side: Side, quantity: int, price: Decimal, on: date
    ) -> tuple[Decimal, Decimal]:
        calendars = load()
        cost = trade_costs(
            listing.market, side, quantity, price, on, contract=_contract(broker, listing),
            days=calendars.days(listing.market), rates=calendars.rates, instrument_type=listing.type,
            board=listing.board or "KOSPI",
        )  # fmt: skip
        return cost.commission, cost.tax


def settles_on(market: Market, trade_date: date) -> date:
    """The day a trade of `trade_date` settles; beyond the known years, so many weekdays later."""
    try:
        return load().days(market).settle_date(trade_date)
    except OutsideCalendar:
        day, left = trade_date, _SETTLES_AFTER[market]
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5
        return day


def _contract(broker: BrokerName, listing: Listing) -> FeeContract:
    return default_contract(broker, listing.market, listing.type)
