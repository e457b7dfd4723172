"""The bar window: what was put in is what is seen, at any length."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.rules.series import BarWindow
from shared.domain.market import Bar, Timeframe

START = datetime(2024, 5, 2, 13, 30, tzinfo=UTC)


def bar(minute: int, close: int, closed: bool = True) -> Bar:
    price = Decimal(close)
    return Bar("AAPL", Timeframe.M1, START + timedelta(minutes=minute), price, price, price, price, 5, closed)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.integers(2, 12))
def test_the_window_shows_the_newest_bars_in_order(closes, capacity):
    window = BarWindow.of((bar(i, close) for i, close in enumerate(closes)), capacity)
    seen = window.view()
    assert seen.close.tolist() == closes[-capacity:]
    assert seen.starts.tolist() == [int(START.timestamp()) + 60 * i for i in range(len(closes))][-capacity:]


def test_a_forming_bar_grows_closes_and_is_left_out_of_the_closed_ones():
    window = BarWindow.of([bar(0, 10), bar(1, 11, closed=False)])
    assert window.view().forming and window.view().close.tolist() == [10, 11]
    window.put(bar(1, 12, closed=False))
    assert window.view().closed().close.tolist() == [10]
    window.put(bar(1, 13))
    assert not window.view().forming and window.view().closed().close.tolist() == [10, 13]


def test_a_bar_older_than_the_newest_is_refused():
    window = BarWindow.of([bar(0, 10), bar(1, 11)])
    with pytest.raises(ValueError, match="older"):
        window.put(bar(0, 9))
