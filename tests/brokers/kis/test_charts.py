"""Longer bars out of shorter ones, and where a period begins."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.charts import merged, period_start
from brokers.kis.codec import KST
from shared.domain.market import Bar, Timeframe


def test_minutes_merge_into_fives_and_a_half_seen_bucket_is_left_out() -> None:
    minutes = [
        Bar("A", Timeframe.M1, datetime(2026, 7, 9, 0, minute, tzinfo=UTC), *map(Decimal, (m, m + 1, m - 1, m)), 10)
        for m, minute in enumerate(range(3, 12), 100)
    ]
    five, forming = merged(minutes, Timeframe.M5, datetime(2026, 7, 9, 0, 11, 30, tzinfo=UTC), KST)
    assert five.start == datetime(2026, 7, 9, 0, 5, tzinfo=UTC)
    assert (five.open, five.high, five.low, five.close, five.volume) == (102, 107, 101, 106, 50)
    assert five.closed and not forming.closed and forming.volume == 20


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from([Timeframe.D1, Timeframe.W1, Timeframe.MN1]))
def test_a_day_lies_in_its_period_and_the_day_before_it_in_another(day: date, timeframe: Timeframe) -> None:
    first = period_start(day, timeframe)
    assert first <= day and period_start(first, timeframe) == first
    assert period_start(first - timedelta(days=1), timeframe) < first
