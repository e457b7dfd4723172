"""Turns follow the session of their own day: daylight saving, late openings, half days, closures, a fake clock's every hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendars import load
from shared.domain.account import Market
from shared.domain.turns import When, at_clock, every_day, from_close, from_open, last_turn, next_turn, sessions_of

SESSIONS = {market: sessions_of(market, load()) for market in Market}
SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("when", "day", "expected"),
    [
        # 30 minutes before the US open, in Korea: 22:00 in summer, 23:00 in winter
        (from_open(Market.US, -30), date(2026, 3, 6), "2026-03-06T23:00+09:00"),  # the Friday before clocks go forward
        (from_open(Market.US, -30), date(2026, 3, 9), "2026-03-09T22:00+09:00"),  # the Monday after
        (from_open(Market.US, -30), date(2026, 10, 30), "2026-10-30T22:00+09:00"),  # before they go back
        (from_open(Market.US, -30), date(2026, 11, 2), "2026-11-02T23:00+09:00"),
        (from_close(Market.US, 60), date(2026, 3, 9), "2026-03-10T06:00+09:00"),  # the next day in Korea
        (from_close(Market.US, 60), date(2026, 11, 2), "2026-11-03T07:00+09:00"),
        (from_close(Market.US, 1), date(2026, 11, 27), "2026-11-27T13:01-05:00"),  # half day after Thanksgiving
        (from_open(Market.KRX, -30), date(2026, 11, 18), "2026-11-18T08:30+09:00"),
        (from_open(Market.KRX, -30), date(2026, 11, 19), "2026-11-19T09:30+09:00"),  # 수능일: 10:00–16:30
        (from_close(Market.KRX, 1), date(2026, 11, 19), "2026-11-19T16:31+09:00"),
        (at_clock(Market.KRX, time(7), trading_days=False), date(2026, 11, 22), "2026-11-22T07:00+09:00"),  # a Sunday
    ],
)
def test_a_turn_stands_where_the_days_own_session_puts_it(when: When, day: date, expected: str) -> None:
    turn = when.on(day, SESSIONS[when.market])
    assert turn == utc(expected)
    assert turn is not None
    assert last_turn(when, turn, SESSIONS[when.market]) == turn
    assert next_turn(when, turn - timedelta(seconds=1), SESSIONS[when.market]) == turn


def test_days_without_a_session_have_no_turn() -> None:
    thanksgiving, sunday = date(2026, 11, 26), date(2026, 11, 22)
    for day in (thanksgiving, sunday):
        assert from_open(Market.US, -30).on(day, SESSIONS[Market.US]) is None
        assert at_clock(Market.US, time(6)).on(day, SESSIONS[Market.US]) is None


def test_korean_midnight_inside_a_us_session_moves_no_turn() -> None:
    when, before, after = from_close(Market.US, 1), utc("2026-11-20T23:59+09:00"), utc("2026-11-21T00:01+09:00")
    closes = utc("2026-11-21T06:01+09:00")
    assert next_turn(when, before, SESSIONS[Market.US]) == next_turn(when, after, SESSIONS[Market.US]) == closes
    assert last_turn(when, before, SESSIONS[Market.US]) == last_turn(when, after, SESSIONS[Market.US])


def test_an_exchange_that_never_closes_has_the_usual_hours_every_day() -> None:
    sunday = date(2026, 11, 22)
    assert from_open(Market.US, 0).on(sunday, every_day(Market.US)) == datetime(
        2026, 11, 22, 9, 30, tzinfo=NEW_YORK
    ).astimezone(UTC)


@pytest.mark.parametrize(
    ("market", "start", "days", "turns"),
    [
        (Market.US, "2026-03-05T00:00+09:00", 7, 5),  # over the weekend on which clocks go forward
        (Market.US, "2026-10-29T00:00+09:00", 7, 5),  # and back
        (Market.US, "2026-11-23T00:00+09:00", 7, 5),  # Thanksgiving and a half day; Friday's night before comes first
        (Market.KRX, "2026-11-16T00:00+09:00", 7, 5),  # 수능 week
    ],
)
def test_a_clock_that_walks_through_the_week_meets_each_turn_once(
    market: Market, start: str, days: int, turns: int
) -> None:
    when, now = from_open(market, -30), utc(start)
    end, met = now + timedelta(days=days), []
    last = last_turn(when, now, SESSIONS[market])
    while now < end:
        now += timedelta(minutes=7)
        turn = last_turn(when, now, SESSIONS[market])
        if turn != last:
            assert turn is not None and now - turn < timedelta(minutes=7)
            met.append(turn)
            last = turn
    sessions = [
        day
        for day in (utc(start).astimezone(when.zone).date() + timedelta(days=n) for n in range(days + 1))
        if (at := when.on(day, SESSIONS[market])) is not None and utc(start) < at < end
    ]
    assert len(met) == len(sessions) == len(set(met))
    assert abs(len(met) - turns) <= 1


@given(
    st.integers(0, 870 * 24 * 60).map(lambda minutes: datetime(2025, 1, 10, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.sampled_from([from_open(m, n) for m in Market for n in (-90, 0)] + [from_close(m, 60) for m in Market]),
)
def test_no_turn_lies_between_the_last_and_the_next(now: datetime, when: When) -> None:
    session_on = SESSIONS[when.market]
    last, following = last_turn(when, now, session_on), next_turn(when, now, session_on)
    assert last is not None and following is not None and last <= now < following
    assert next_turn(when, last, session_on) == following
    assert last_turn(when, following - timedelta(seconds=1), session_on) == last
