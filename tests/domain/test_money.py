"""Money is exact and never mixes."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.money import Currency, Money

amounts = st.decimals(-(10**12), 10**12, places=4)
currencies = st.sampled_from(Currency)
money = st.builds(Money, amounts, currencies)


@pytest.mark.parametrize(
    "mix", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge], ids=lambda f: f.__name__
)
@given(a=amounts, b=amounts)
def test_two_currencies_never_mix(mix: Callable[[Any, Any], Any], a: Decimal, b: Decimal) -> None:
    with pytest.raises(ValueError, match="do not mix"):
        mix(Money(a, Currency.KRW), Money(b, Currency.USD))


def test_equal_amounts_of_two_currencies_are_not_equal() -> None:
    assert Money(Decimal(1), Currency.KRW) != Money(Decimal(1), Currency.USD)


@given(amounts, amounts, currencies)
def test_adding_and_taking_away_is_exact(a: Decimal, b: Decimal, currency: Currency) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one + other) - other == one
    assert one + -one == Money(Decimal(0), currency)
    assert (one < other) == (a < b)
    assert (one >= other) == (a >= b)
    assert one * 3 == one + one + one


@given(money)
def test_rounding_keeps_the_currency_and_moves_by_half_a_unit_at_most(one: Money) -> None:
    rounded = one.rounded()
    unit = Decimal(1).scaleb(-one.currency.decimals)
    assert rounded.currency is one.currency
    assert rounded.amount % unit == 0
    assert abs(rounded.amount - one.amount) <= unit / 2


@pytest.mark.parametrize("bad", [1, 1.5, "1", None, Decimal("NaN"), Decimal("Infinity")])
def test_money_is_a_finite_decimal_only(bad: Any) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        Money(bad, Currency.KRW)


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("71200", Currency.KRW, "₩71,200"), ("71200.0000", Currency.KRW, "₩71,200"), ("0.5", Currency.KRW, "₩0.5"),
        ("1234.5", Currency.USD, "$1,234.50"), ("0.0125", Currency.USD, "$0.0125"), ("-512.3", Currency.USD, "-$512.30"),
        ("5000", Currency.USD, "$5,000.00"), ("-1", Currency.KRW, "-₩1"), ("0", Currency.USD, "$0.00"),
    ],
)  # fmt: skip
def test_an_amount_in_a_sentence_carries_its_currency_to_its_own_digits(
    amount: str, currency: Currency, told: str
) -> None:
    assert currency.said(Decimal(amount)) == told
