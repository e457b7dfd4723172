"""Sessions and trading days: the published tables, and what must hold on every day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendars import load
from shared.domain.account import Market
from shared.domain.sessions import (
    KST,
    SessionState,
    Timetable,
    next_open,
    phase_at,
    phases,
    pre_close_price,
    regular_hours,
    session_at,
    trade_date,
)
from shared.domain.trading_days import ZONES, OutsideCalendar

CALENDARS = load()
ET = ZONES[Market.US]
S = SessionState
days = st.dates(date(2000, 1, 10), date(2030, 12, 20))
timetables = st.sampled_from(Timetable)
SPAN = (datetime(2000, 2, 1), datetime(2030, 12, 1))  # noqa: DTZ001  (Hypothesis adds the zone)
instants = st.datetimes(*SPAN, timezones=st.just(UTC))

# markets.md §4 and §5: what both libraries and the exchanges' notices agree on.
KRX_CLOSED = {
    2024: "01-01 02-09 02-12 03-01 04-10 05-01 05-06 05-15 06-06 08-15 09-16 09-17 09-18 10-01 10-03 10-09 12-25 12-31",
    2025: "01-01 01-27 01-28 01-29 01-30 03-03 05-01 05-05 05-06 06-03 06-06 08-15 10-03 10-06 10-07 10-08 10-09 12-25 "
    "12-31",
    2026: "01-01 02-16 02-17 02-18 03-02 05-01 05-05 05-25 06-03 07-17 08-17 09-24 09-25 10-05 10-09 12-25 12-31",
    2027: "01-01 02-08 02-09 03-01 05-03 05-05 05-13 07-19 08-16 09-14 09-15 09-16 10-04 10-11 12-27 12-31",
    2028: "01-26 01-27 01-28 03-01 04-12 05-01 05-02 05-05 06-06 07-17 08-15 10-02 10-03 10-04 10-05 10-09 12-25 12-29",
}
US_CLOSED = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
    2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
}
US_HALF_DAYS = {
    2024: "07-03 11-29 12-24",
    2025: "07-03 11-28 12-24",
    2026: "11-27 12-24",
    2027: "11-26",
    2028: "07-03 11-24",
}


def kst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


def et(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ET)


def weekdays(year: int) -> list[date]:
    span = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [day for day in span if day.year == year and day.weekday() < 5]


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("year", KRX_CLOSED)
def test_the_closures_of_a_year_are_those_the_exchange_published(market: Market, year: int) -> None:
    calendar = CALENDARS.days(market)
    closed = [f"{day:%m-%d}" for day in weekdays(year) if not calendar.is_trading_day(day)]
    assert closed == (KRX_CLOSED if market is Market.KRX else US_CLOSED)[year].split()


@pytest.mark.parametrize("year", US_HALF_DAYS)
def test_us_half_days_end_at_13_and_their_evening_at_17(year: int) -> None:
    short = []
    for day in weekdays(year):
        hours = CALENDARS.us.hours(day)
        if hours is not None and hours.close == time(13):
            short.append(f"{day:%m-%d}")
            assert phases(Timetable.US, day, CALENDARS)[-1].end.time() == time(17)
    assert short == US_HALF_DAYS[year].split()


@pytest.mark.parametrize("year", range(2001, 2031))
def test_krx_opens_its_first_day_of_the_year_at_ten_and_closes_as_usual(year: int) -> None:
    first = CALENDARS.krx.next_day(date(year - 1, 12, 31))
    for day, opening in ((first, time(10)), (CALENDARS.krx.next_day(first), time(9))):
        hours = CALENDARS.krx.hours(day)
        assert hours is not None
        assert (hours.open, hours.close) == (opening, time(15, 30) if year >= 2017 else time(15))


def test_a_csat_day_shifts_whole_and_its_evening_keeps_its_end() -> None:
    edges = [(p.state, p.start.time(), p.end.time()) for p in phases(Timetable.KRX, date(2026, 11, 19), CALENDARS)]
    assert edges == [
        (S.OPEN_AUCTION, time(9, 30), time(10)),
        (S.CONTINUOUS, time(10), time(16, 20)),
        (S.CLOSE_AUCTION, time(16, 20), time(16, 30)),
        (S.BREAK, time(16, 30), time(16, 40)),
        (S.POST_CLOSE_PRICE, time(16, 40), time(17)),
        (S.AFTER_MARKET, time(17), time(20)),
    ]


@pytest.mark.parametrize(
    ("instant", "state"),
    [
        ("2014-08-29 15:20", S.POST_CLOSE_PRICE),
        ("2014-08-29 15:40", S.AFTER_SINGLE),
        ("2016-07-29 14:55", S.CLOSE_AUCTION),
        ("2016-08-01 14:55", S.CONTINUOUS),
        ("2019-04-26 08:10", S.OPEN_AUCTION),
        ("2019-04-29 08:10", S.CLOSED),
        ("2026-09-11 18:30", S.CLOSED),
        ("2026-09-14 18:30", S.AFTER_MARKET),
        ("2026-09-14 20:00", S.CLOSED),
        ("2026-09-13 10:00", S.CLOSED),
    ],
)
def test_krx_states_follow_the_rules_of_their_date(instant: str, state: SessionState) -> None:
    assert session_at(Timetable.KRX, kst(instant), CALENDARS) is state


@pytest.mark.parametrize(
    ("instant", "state"),
    [
        ("2025-02-28 08:10", S.CLOSED),
        ("2025-03-04 08:00", S.PRE),
        ("2025-03-04 08:50", S.BREAK),
        ("2025-03-04 09:00:29", S.BREAK),
        ("2025-03-04 09:00:30", S.MAIN),
        ("2025-03-04 15:20", S.BREAK),
        ("2025-03-04 15:30", S.AFTER_ENTRY),
        ("2025-03-04 15:40", S.AFTER),
        ("2025-03-04 20:00", S.CLOSED),
        ("2026-01-02 10:00:30", S.MAIN),
        ("2026-01-02 15:20", S.BREAK),
        ("2025-11-13 08:10", S.CLOSED),
        ("2025-11-13 16:25", S.BREAK),
        ("2025-11-13 16:35", S.AFTER_ENTRY),
        ("2025-11-13 19:59", S.AFTER),
    ],
)
def test_nxt_follows_the_krx_day(instant: str, state: SessionState) -> None:
    assert session_at(Timetable.NXT, kst(instant), CALENDARS) is state


@pytest.mark.parametrize(
    ("instant", "extended", "state"),
    [
        ("2026-07-15 09:30", False, S.CLOSED),
        ("2026-07-15 10:00", False, S.DAY),
        ("2026-07-15 16:59", False, S.DAY),
        ("2026-07-15 17:00", False, S.PRE),  # EDT: the pre-market wins over the documented day window
        ("2026-01-14 17:30", False, S.DAY),
        ("2026-01-14 18:00", False, S.PRE),
        ("2026-07-15 22:30", False, S.REGULAR),
        ("2026-07-16 05:00", False, S.AFTER),
        ("2026-07-16 07:00", False, S.CLOSED),
        ("2026-07-16 07:00", True, S.AFTER),
        ("2026-07-16 09:00", True, S.CLOSED),
        ("2026-01-15 09:30", True, S.AFTER),
        ("2024-08-15 11:00", False, S.DAY),
        ("2024-08-16 11:00", False, S.CLOSED),
        ("2025-11-04 11:00", False, S.DAY),
        ("2024-07-04 05:30", False, S.AFTER),  # half day in EDT: 02:00 to 06:00
        ("2024-07-04 06:00", True, S.CLOSED),
    ],
)
def test_a_kis_customer_can_trade_the_us_in_these_windows(instant: str, extended: bool, state: SessionState) -> None:
    assert session_at(Timetable.KIS_US, kst(instant), CALENDARS, extended=extended) is state


def test_a_us_night_belongs_to_the_next_date_and_a_holiday_has_none() -> None:
    sunday = phase_at(Timetable.US_ATS, et("2026-11-22 21:00"), CALENDARS)
    assert sunday is not None
    assert (sunday.state, sunday.trade_date) == (S.OVERNIGHT, date(2026, 11, 23))
    assert session_at(Timetable.US_ATS, et("2026-11-25 21:00"), CALENDARS) is S.CLOSED  # before Thanksgiving
    assert session_at(Timetable.US_ATS, et("2026-11-26 21:00"), CALENDARS) is S.OVERNIGHT
    assert session_at(Timetable.US_ATS, et("2026-11-27 21:00"), CALENDARS) is S.CLOSED  # Friday evening


@pytest.mark.parametrize("day", [date(2026, 3, 6), date(2026, 3, 9), date(2026, 10, 30), date(2026, 11, 2)])
def test_the_us_opens_at_half_past_nine_new_york_time_on_both_sides_of_a_clock_change(day: date) -> None:
    hours = regular_hours(Timetable.US, day, CALENDARS)
    assert hours is not None
    summer = day in {date(2026, 3, 9), date(2026, 10, 30)}
    assert hours[0].astimezone(UTC).time() == (time(13, 30) if summer else time(14, 30))


def test_pre_close_price_trading_runs_beside_the_opening_auction() -> None:
    assert pre_close_price(kst("2019-04-26 07:30"), CALENDARS)
    assert [pre_close_price(kst(f"2026-09-15 08:{m}"), CALENDARS) for m in (29, 30, 39, 40)] == [
        False,
        True,
        True,
        False,
    ]
    assert pre_close_price(kst("2026-11-19 09:35"), CALENDARS)
    assert not pre_close_price(kst("2026-09-24 08:35"), CALENDARS)


@pytest.mark.parametrize(
    ("market", "traded", "settles"),
    [
        (Market.KRX, date(2026, 7, 15), date(2026, 7, 20)),
        (Market.KRX, date(2025, 12, 29), date(2026, 1, 2)),
        (Market.US, date(2017, 9, 1), date(2017, 9, 7)),
        (Market.US, date(2017, 9, 5), date(2017, 9, 7)),
        (Market.US, date(2024, 5, 24), date(2024, 5, 29)),
        (Market.US, date(2024, 5, 28), date(2024, 5, 29)),
        (Market.US, date(2025, 10, 10), date(2025, 10, 14)),  # Columbus Day: trading, no settlement
        (Market.US, date(2025, 11, 10), date(2025, 11, 12)),  # Veterans Day
    ],
)
def test_a_trade_settles_when_its_date_says(market: Market, traded: date, settles: date) -> None:
    assert CALENDARS.days(market).settle_date(traded) == settles


@given(timetables, days, st.booleans())
def test_phases_follow_each_other_and_never_overlap(timetable: Timetable, day: date, extended: bool) -> None:
    found = phases(timetable, day, CALENDARS, extended=extended)
    assert all(phase.start < phase.end and phase.trade_date == day for phase in found)
    assert all(one.end <= after.start for one, after in pairwise(found))
    assert not found or CALENDARS.days(timetable.market).is_trading_day(day)


@given(timetables, instants)
def test_every_instant_lies_in_the_phase_that_is_named(timetable: Timetable, instant: datetime) -> None:
    phase = phase_at(timetable, instant, CALENDARS)
    if phase is not None:
        assert phase.start <= instant < phase.end
        assert trade_date(timetable, instant, CALENDARS) == phase.trade_date
        assert session_at(timetable, phase.start, CALENDARS) is phase.state
        assert phase_at(timetable, phase.end, CALENDARS) != phase


@given(st.sampled_from([Timetable.KRX, Timetable.US, Timetable.KIS_US]), instants)
def test_the_next_open_is_a_regular_open_with_none_before_it(timetable: Timetable, instant: datetime) -> None:
    opens = next_open(timetable, instant, CALENDARS)
    assert opens >= instant
    assert opens - instant < timedelta(days=13)
    state = session_at(timetable, opens, CALENDARS)
    assert state is (S.CONTINUOUS if timetable is Timetable.KRX else S.REGULAR)
    before = opens - timedelta(microseconds=1)
    assert session_at(timetable, before, CALENDARS) is (S.OPEN_AUCTION if timetable is Timetable.KRX else S.PRE)


@given(days, st.sampled_from(Market))
def test_next_and_previous_trading_day_undo_each_other(day: date, market: Market) -> None:
    calendar = CALENDARS.days(market)
    after = calendar.next_day(day)
    assert calendar.is_trading_day(after)
    assert calendar.previous_day(after) <= day
    if calendar.is_trading_day(day):
        assert calendar.previous_day(after) == day
        assert calendar.settle_date(day) > day


def test_a_date_beyond_the_known_years_is_refused_not_guessed() -> None:
    with pytest.raises(OutsideCalendar, match="2031-01-02"):
        CALENDARS.krx.is_trading_day(date(2031, 1, 2))
    with pytest.raises(OutsideCalendar):
        session_at(Timetable.US, et("1999-12-31 10:00"), CALENDARS)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        session_at(Timetable.KRX, datetime(2026, 1, 5, 10), CALENDARS)  # noqa: DTZ001
