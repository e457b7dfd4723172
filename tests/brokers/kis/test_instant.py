"""Times on the wire, cut by width: what the documented form says, and nothing else is taken for a time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.codec import KST, instant
from shared.domain.errors import WireError

NEW_YORK = ZoneInfo("America/New_York")


FIRST, LAST = datetime(1950, 1, 2), datetime(2199, 12, 30)  # noqa: DTZ001


@given(st.datetimes(FIRST, LAST), st.sampled_from([KST, NEW_YORK]))
def test_every_second_of_the_years_of_a_market_is_read_as_written(at: datetime, zone: ZoneInfo) -> None:
    local = at.replace(microsecond=0, tzinfo=zone)
    assert instant(f" {at:%Y%m%d} ", f"{at:%H%M%S}", zone) == local.astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        ("20260229", "093000"), ("20261301", "093000"), ("20260700", "093000"), ("20260709", "240000"),
        ("20260709", "096000"), ("20260709", "093060"), ("20260709", "93000"), ("2026079", "0930000"),
        ("20260709", ""), ("", "093000"), ("2026-7-9", "093000"), ("20260709", "09:300"), ("20260709", "-93000"),
        ("20260709", "+93000"), ("２０２６０７０９", "093000"), ("20260709", "0930 0"), ("00010101", "000000"),
        ("99991231", "000000"),
    ],
)  # fmt: skip
def test_what_is_not_a_time_is_refused(day: str, clock: str) -> None:
    with pytest.raises(WireError):
        instant(day, clock)
