"""Realised gains by lot, in the currency and in won, by moving average or first-in-first-out (markets.md §8).

Korea's tax on overseas shares: each leg is converted at the base rate of its own settlement date, fees are deductible,
a calendar year is counted by the sale's settlement date. Lots are kept per account and symbol, as brokers do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.domain.fees import OVERSEAS_GAINS_ALLOWANCE_KRW, overseas_gains_tax
from shared.domain.order import Side

ZERO = Decimal(0)


class LotMethod(StrEnum):
    FIFO = "fifo"  # 선입선출
    MOVING_AVERAGE = "moving_average"  # 이동평균


@dataclass(frozen=True, slots=True)
class Leg:
    """One execution. `fees` are commission and taxes in the currency; `rate` is won for one unit on `settles_on`."""

    account_id: int
    symbol: str
    currency: str
    side: Side
    quantity: int
    price: Decimal
    fees: Decimal
    settles_on: date
    rate: Decimal | None  # None: nobody recorded one


@dataclass(frozen=True, slots=True)
class Sale:
    """Shares sold against what they had cost: one lot under FIFO, all that was held under moving average.

    A won figure is None where a rate is not known. `cost` and `proceeds` are before fees.
    """

    account_id: int
    symbol: str
    currency: str
    quantity: int
    bought_on: date | None  # settlement of the lot; None: an average has no day
    sold_on: date  # settlement of the sale
    cost: Decimal
    proceeds: Decimal
    fees: Decimal  # of both legs, in proportion
    cost_won: Decimal | None
    proceeds_won: Decimal | None
    fees_won: Decimal | None

    @property
    def gain(self) -> Decimal:
        return self.proceeds - self.cost - self.fees

    @property
    def gain_won(self) -> Decimal | None:
        if self.proceeds_won is None or self.cost_won is None or self.fees_won is None:
            return None
        return self.proceeds_won - self.cost_won - self.fees_won


@dataclass(slots=True)
class Realised:
    """What was sold, and the shares of it whose purchase nobody saw: those are counted, never guessed."""

    sales: list[Sale] = field(default_factory=list)
    without_cost: list[tuple[int, str, int, date]] = field(default_factory=list)  # account, symbol, shares, sold on


@dataclass(slots=True)
class _Lot:
    quantity: int
    settles_on: date | None
    cost: Decimal
    fees: Decimal
    cost_won: Decimal | None
    fees_won: Decimal | None

    def take(self, quantity: int) -> _Lot:
        """Split off `quantity` shares with their part of the cost; the last ones take what is left, to the digit."""
        whole = quantity == self.quantity

        def part(of: Decimal | None) -> Decimal | None:
            return of if of is None or whole else of * quantity / self.quantity

        taken = _Lot(
            quantity, self.settles_on, part(self.cost) or ZERO, part(self.fees) or ZERO, part(self.cost_won),
            part(self.fees_won),
        )  # fmt: skip
        self.quantity -= quantity
        self.cost, self.fees = self.cost - taken.cost, self.fees - taken.fees
        self.cost_won, self.fees_won = _less(self.cost_won, taken.cost_won), _less(self.fees_won, taken.fees_won)
        return taken

    def join(self, other: _Lot) -> None:
        self.quantity += other.quantity
        self.cost, self.fees, self.settles_on = self.cost + other.cost, self.fees + other.fees, None
        self.cost_won, self.fees_won = _plus(self.cost_won, other.cost_won), _plus(self.fees_won, other.fees_won)


def realise(legs: Iterable[Leg], method: LotMethod) -> Realised:
    """Match sales with purchases; `legs` in the order in which they were traded."""
    held: dict[tuple[int, str], deque[_Lot]] = {}
    found = Realised()
    for leg in legs:
        lots = held.setdefault((leg.account_id, leg.symbol), deque())
        if leg.side is Side.BUY:
            cost = leg.price * leg.quantity
            fresh = _Lot(
                leg.quantity, leg.settles_on, cost, leg.fees, _won(cost, leg.rate), _won(leg.fees, leg.rate)
            )  # fmt: skip
            if method is LotMethod.MOVING_AVERAGE and lots:
                lots[0].join(fresh)
            else:
                lots.append(fresh)
            continue
        _sell(leg, lots, found)
    return found


def _sell(leg: Leg, lots: deque[_Lot], found: Realised) -> None:
    left, fees_left = leg.quantity, leg.fees
    while left and lots:
        taken = lots[0].take(min(left, lots[0].quantity))
        if not lots[0].quantity:
            lots.popleft()
        fees = fees_left if taken.quantity == left else leg.fees * taken.quantity / leg.quantity
        left, fees_left = left - taken.quantity, fees_left - fees
        proceeds = leg.price * taken.quantity
        found.sales.append(
            Sale(
                leg.account_id, leg.symbol, leg.currency, taken.quantity, taken.settles_on, leg.settles_on, taken.cost,
                proceeds, taken.fees + fees, taken.cost_won, _won(proceeds, leg.rate),
                _plus(taken.fees_won, _won(fees, leg.rate)),
            )
        )  # fmt: skip
    if left:
        found.without_cost.append((leg.account_id, leg.symbol, left, leg.settles_on))


@dataclass(frozen=True, slots=True)
class YearTax:
    """The estimate of one owner's calendar year. None: a figure is missing, no sum is told."""

    gain_won: Decimal | None
    allowance_used: Decimal | None
    allowance_left: Decimal | None
    tax: Decimal | None
    sales: int
    without_cost: int  # shares
    without_rate: int  # sales


def year_tax(sales: Iterable[Sale], without_cost: int) -> YearTax:
    """Gains and losses of the year together, less 2,500,000 won, at 22 %."""
    rows = list(sales)
    won = [one.gain_won for one in rows]
    missing = sum(one is None for one in won)
    if missing or without_cost:
        return YearTax(None, None, None, None, len(rows), without_cost, missing)
    gain = sum((one for one in won if one is not None), ZERO)
    used = min(max(gain, ZERO), OVERSEAS_GAINS_ALLOWANCE_KRW)
    return YearTax(gain, used, OVERSEAS_GAINS_ALLOWANCE_KRW - used, overseas_gains_tax(gain), len(rows), 0, 0)


def _won(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return None if rate is None else amount * rate


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _less(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other
