"""Money: an exact amount with its currency. Unlike currencies never mix."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum


class Currency(StrEnum):
    """A settlement currency, with the number of decimals its accounts are kept in."""

    KRW = "KRW"
    USD = "USD"

    @property
    def decimals(self) -> int:
        return 0 if self is Currency.KRW else 2

    @property
    def sign(self) -> str:
        return "₩" if self is Currency.KRW else "$"

    def said(self, amount: Decimal) -> str:
        """Write an amount or a price into a sentence, ₩71,200 or -$0.0125: to its own digits, four at most."""
        digits = f"{abs(amount):,.4f}".rstrip("0").rstrip(".")
        whole, _, rest = digits.partition(".")
        told = f"{whole}.{rest.ljust(self.decimals, '0')}" if rest or self.decimals else whole
        return f"{'-' if amount < 0 else ''}{self.sign}{told}"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one currency; arithmetic between currencies raises ValueError."""

    amount: Decimal
    currency: Currency

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise ValueError(f"money needs a finite Decimal, got {self.amount!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def rounded(self) -> Money:
        """Round to the currency's decimals (half even); for display and statements only."""
        step = Decimal(1).scaleb(-self.currency.decimals)
        return Money(self.amount.quantize(step, rounding=ROUND_HALF_EVEN), self.currency)

    def _same(self, other: Money) -> Decimal:
        if other.currency is not self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount
