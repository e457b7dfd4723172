"""Sizing rounds down, needs what it needs, and asks for nothing when it is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.risk.sizing import SizingFacts, shares
from shared.domain.rule.model import SizingMode

FACTS = SizingFacts(price=Decimal(30), equity=Decimal(10_000), stop_distance=Decimal(2))


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        (SizingMode.SHARES, "7", 7),
        (SizingMode.AMOUNT, "100", 3),
        (SizingMode.EQUITY_PCT, "10", 33),
        (SizingMode.RISK_PCT, "1", 50),  # 100 of risk / 2 a share
        (SizingMode.RISK_PCT, "50", 333),  # never more than equity buys
    ],
)
def test_each_mode_has_its_number(mode: SizingMode, value: str, expected: int) -> None:
    assert shares(mode, Decimal(value), FACTS) == expected


@pytest.mark.parametrize(
    ("mode", "facts"),
    [
        (SizingMode.EQUITY_PCT, SizingFacts(Decimal(30), None, Decimal(2))),
        (SizingMode.RISK_PCT, SizingFacts(Decimal(30), Decimal(1000), None)),
        (SizingMode.AMOUNT, SizingFacts(Decimal(0), Decimal(1000), None)),
    ],
)
def test_what_is_not_known_buys_nothing(mode: SizingMode, facts: SizingFacts) -> None:
    assert shares(mode, Decimal(10), facts) == 0


@given(value=st.decimals("0.01", "100", places=2), price=st.decimals("0.01", "9999", places=2))
def test_a_share_of_equity_never_costs_more_than_it(value: Decimal, price: Decimal) -> None:
    count = shares(SizingMode.EQUITY_PCT, value, SizingFacts(price, Decimal(10_000), None))
    assert count * price <= Decimal(10_000) * value / 100
