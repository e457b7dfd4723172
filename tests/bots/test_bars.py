"""Bars from ticks: opened on whole minutes, closed by time, seeded by the broker, never rewritten by late ticks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bots.bars import BarSeries, SpikeWatch, bar_end, bar_start
from bots.chart import GRACE_S, Chart
from shared.domain.market import Bar, Tick, Timeframe

NEW_YORK = ZoneInfo("America/New_York")
T0 = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def tick(seconds: float, price: str, quantity: int = 1) -> Tick:
    at = T0 + timedelta(seconds=seconds)
    return Tick("AAPL", Decimal(price), quantity, at, at)


def series(timeframe: Timeframe = Timeframe.M1) -> BarSeries:
    return BarSeries("AAPL", timeframe, NEW_YORK)


def bar(minute: int, close: str, *, closed: bool = True) -> Bar:
    price = Decimal(close)
    return Bar("AAPL", Timeframe.M1, T0 + timedelta(minutes=minute), price, price, price, price, 5, closed=closed)


def test_ticks_of_a_minute_make_its_bar_and_the_next_minute_closes_it() -> None:
    one = series()
    for seconds, price in ((0, "10"), (10, "12"), (20, "9"), (59.9, "11")):
        assert one.add(tick(seconds, price)) is None
    closed = one.add(tick(60, "13"))
    assert closed is not None and closed.closed
    assert (closed.open, closed.high, closed.low, closed.close, closed.volume) == (10, 12, 9, 11, 4)
    assert one.forming is not None and one.forming.open == 13


def test_time_closes_a_bar_without_a_tick_once() -> None:
    one = series()
    one.add(tick(0, "10"))
    assert one.close_due(T0 + timedelta(seconds=59)) is None
    assert one.close_due(T0 + timedelta(seconds=60)) is not None
    assert one.close_due(T0 + timedelta(seconds=61)) is None


def test_a_late_tick_changes_nothing() -> None:
    one = series()
    one.add(tick(0, "10"))
    one.close_due(T0 + timedelta(seconds=60))
    assert one.add(tick(30, "99")) is None
    one.add(tick(70, "11"))
    one.add(tick(5, "99"))
    assert one.late == 2 and [b.high for b in one.bars()] == [10, 11]


def test_a_seed_keeps_what_ticks_already_told() -> None:
    one = series()
    one.add(tick(125, "15"))
    one.seed([bar(0, "10"), bar(1, "11"), bar(2, "12", closed=False)])
    assert [b.close for b in one.closed] == [10, 11]
    assert one.forming is not None and (one.forming.low, one.forming.high, one.forming.close) == (12, 15, 15)


def test_a_new_seed_after_a_gap_replaces_the_past() -> None:
    one = series()
    one.seed([bar(0, "10")])
    one.seed([bar(0, "10"), bar(1, "11"), bar(2, "12")])
    assert [b.close for b in one.closed] == [10, 11, 12]


def test_a_day_bar_is_a_day_of_the_market_and_survives_daylight_saving() -> None:
    before = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)  # still October 31 in New York; clocks go back on November 1
    start = bar_start(before, Timeframe.D1, NEW_YORK)
    assert start.astimezone(NEW_YORK).date().isoformat() == "2026-10-31"
    long_day = bar_start(datetime(2026, 11, 1, 12, 0, tzinfo=UTC), Timeframe.D1, NEW_YORK)
    assert bar_end(long_day, Timeframe.D1, NEW_YORK) - long_day == timedelta(hours=25)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 1000)), max_size=60))
def test_no_share_of_volume_is_lost_or_counted_twice(ticks: list[tuple[int, int]]) -> None:
    one = series(Timeframe.M5)
    ordered = sorted(ticks)
    for seconds, quantity in ordered:
        one.add(tick(seconds, "10", quantity))
    assert sum(b.volume for b in one.bars()) == sum(quantity for _, quantity in ordered)
    starts = [b.start for b in one.bars()]
    assert starts == sorted(set(starts))


def test_the_chart_gives_arrays_only_after_the_seed() -> None:
    chart = Chart(NEW_YORK)
    chart.want({("AAPL", Timeframe.M1)})
    chart.on_tick(tick(0, "10"))
    assert chart.window("AAPL", Timeframe.M1) is None
    chart.seed(("AAPL", Timeframe.M1), [bar(-2, "8"), bar(-1, "9")])
    window = chart.window("AAPL", Timeframe.M1)
    assert window is not None and list(window.view().close) == [8, 9, 10]
    assert [b.close for b in chart.on_tick(tick(61, "12"))] == [10]
    assert list(window.view().close) == [8, 9, 10, 12]


def test_a_spike_is_told_once_and_again_only_after_a_quiet_while() -> None:
    watch = SpikeWatch(Decimal(3), 5)
    assert watch.moved("AAPL", Decimal(100), T0) is None
    assert watch.moved("AAPL", Decimal("102.9"), T0 + timedelta(seconds=60)) is None
    change = watch.moved("AAPL", Decimal(104), T0 + timedelta(seconds=61))
    assert change is not None and change > 3
    assert watch.moved("AAPL", Decimal(108), T0 + timedelta(seconds=70)) is None
    fallen = watch.moved("AAPL", Decimal(95), T0 + timedelta(seconds=400))
    assert fallen is None  # the window holds only this price: what it fell from is too old
    assert watch.moved("AAPL", Decimal(90), T0 + timedelta(seconds=420)) is not None


def test_the_clock_waits_for_the_last_ticks_of_a_bar_before_it_closes_it() -> None:
    key, chart = ("AAPL", Timeframe.M1), Chart(NEW_YORK)
    chart.want({key})
    chart.seed(key, [])
    chart.on_tick(tick(0, "10"))
    end = T0 + timedelta(seconds=60)
    assert chart.close_due(end, 100.0) == []
    assert chart.on_tick(tick(59.9, "12")) == []  # was on its way when the clock passed the end
    assert chart.close_due(end, 100.0 + GRACE_S / 2) == []
    (closed,) = chart.close_due(end, 100.0 + GRACE_S)
    assert closed.close == 12


def test_the_next_minutes_first_tick_closes_at_once_and_begins_a_wait_of_its_own() -> None:
    key, chart = ("AAPL", Timeframe.M1), Chart(NEW_YORK)
    chart.want({key})
    chart.seed(key, [])
    chart.on_tick(tick(0, "10"))
    assert chart.close_due(T0 + timedelta(seconds=60), 100.0) == []
    assert [bar.close for bar in chart.on_tick(tick(60, "11"))] == [10]
    assert chart.close_due(T0 + timedelta(seconds=120), 100.0 + GRACE_S) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(90, 110)), min_size=2, max_size=80))
def test_a_spike_is_the_move_from_the_lowest_or_highest_price_of_the_last_minutes(moves: list[tuple[int, int]]) -> None:
    watch, at = SpikeWatch(Decimal(5), 1), T0
    seen: list[tuple[datetime, Decimal]] = []
    quiet_until = T0
    for wait, price in moves:
        at += timedelta(seconds=wait)
        if not seen or at - seen[-1][0] >= timedelta(seconds=1):
            seen.append((at, Decimal(price)))
        inside = [one for when, one in seen if at - when <= timedelta(minutes=1)]
        up = max(price / one - 1 for one in inside)
        down = min(price / one - 1 for one in inside)
        told = max(up, -down) * 100 >= Decimal(5) and at >= quiet_until
        near = abs(max(up, -down) * 100 - 5) < Decimal("1e-20")
        got = watch.moved("AAPL", Decimal(price), at)
        assert near or (got is not None) == told
        if got is not None:
            quiet_until = at + timedelta(minutes=1)
