"""CSV of bars: what is refused names its line and column, what is odd is a warning, halted days have no bar."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.backtest import library, run
from bots.backtest.data import parse_bars, read_bars
from bots.rules.presets import preset_text
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError
from shared.domain.market import Timeframe
from shared.domain.rule.parse import parse_rule
from tests.bots.backtest.prices import csv_text

SHELF = Path(__file__).resolve().parents[3].parent / "shared" / "data"
GOOD = [
    ("2024-01-02", 10, 12, 9, 11, 100),
    ("2024-01-03", 11, 13, 10, 12, 100),
    ("2024-01-04", 12, 14, 11, 13, 100),
]


def with_cell(row, column, value):
    rows = [list(one) for one in GOOD]
    rows[row][column] = value
    return csv_text(rows)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (with_cell(1, 4, "abc"), "line 3, column close"),
        (with_cell(1, 4, ""), "line 3, column close"),
        (with_cell(2, 1, "nan"), "line 4, column open"),
        (with_cell(2, 1, "inf"), "line 4, column open"),
        (with_cell(2, 1, "1_0"), "line 4, column open"),
        (with_cell(0, 3, 0), "line 2, column low"),
        (with_cell(0, 2, -5), "line 2, column high"),
        (with_cell(1, 5, -1), "line 3, column volume"),
        (with_cell(1, 0, "2024-01-02"), "line 3, column date"),
        (with_cell(2, 0, "2024-01-02"), "line 4, column date"),
        (with_cell(1, 0, "2023-12-29"), "line 3, column date"),
        (with_cell(1, 0, "2024-02-30"), "line 3, column date"),
        (with_cell(1, 0, "2024-01-03T09:31:00"), "line 3, column date"),
        (csv_text([*GOOD, ("2024-01-05", 1, 2)]), "line 5, column volume"),
        (csv_text(GOOD, "date,open,high,low,close"), "line 1"),
        (csv_text(GOOD, "day,open,high,low,close,volume"), "line 1"),
        (csv_text([]), "CSV"),
        ("", "CSV"),
    ],
)
def test_a_wrong_cell_is_refused_by_line_and_column(text, what):
    with pytest.raises(ConfigError) as caught:
        parse_bars(text, Market.US)
    assert what in caught.value.what
    assert caught.value.why and caught.value.now


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.csv"):
        read_bars(tmp_path / "none.csv", Market.US)


def test_columns_stand_in_any_order_and_others_are_ignored():
    text = csv_text([(1.5, "x", "2024-01-02", 9, 10, 100, 12)], "Close,name,Date,low,open,VOLUME,High")
    data = parse_bars(text, Market.US)
    assert data.bars.close.tolist() == [1.5] and data.label(0) == "2024-01-02"
    assert [one.code for one in data.warnings] == ["odd_ohlc"]


def test_a_halted_day_has_no_bar_and_is_a_warning():
    text = csv_text([GOOD[0], ("2024-01-03", 0, 0, 0, 11, 0), GOOD[2]])
    data = parse_bars(text, Market.KRX)
    assert data.bars.close.tolist() == [11, 13]
    assert {one.code for one in data.warnings} == {"halted", "gap"}
    halted = next(one for one in data.warnings if one.code == "halted")
    assert (halted.count, halted.lines, halted.at) == (1, (3,), ("2024-01-03",))


def test_odd_bars_and_empty_volume_are_used_and_named():
    data = parse_bars(with_cell(1, 2, 9), Market.US)  # a high below its open
    assert [(one.code, one.lines) for one in data.warnings] == [("odd_ohlc", (3,))]
    data = parse_bars(with_cell(1, 5, 0), Market.US)
    assert [(one.code, one.lines) for one in data.warnings] == [("zero_volume", (3,))]
    assert len(data.bars) == 3


def test_a_gap_is_a_missing_trading_day_not_a_weekend_or_holiday():
    week = [("2024-01-12", 1, 1, 1, 1, 5), ("2024-01-16", 1, 1, 1, 1, 5)]  # Martin Luther King day between
    assert parse_bars(csv_text(week), Market.US).warnings == ()
    [gap] = parse_bars(csv_text(week), Market.KRX).warnings
    assert (gap.code, gap.at) == ("gap", ("2024-01-15",))


def test_a_hole_within_a_day_of_minutes_is_a_gap():
    minutes = [f"2024-01-02T14:3{one}:00Z" for one in (0, 1, 2, 5, 6)] + ["2024-01-03T14:30:00Z"]
    data = parse_bars(
        csv_text([(one, 1, 1, 1, 1, 5) for one in minutes], "ts_utc,open,high,low,close,volume"), Market.US
    )
    [gap] = data.warnings
    assert (gap.code, gap.count, gap.at) == ("gap", 1, ("2024-01-02T09:35:00-05:00",))
    assert data.seconds_per_bar() == 60


@pytest.mark.parametrize(
    ("column", "cell", "instant"),
    [
        ("timestamp", "2024-07-01T09:30:00", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        ("timestamp", "2024-07-01 09:30:00-04:00", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        ("timestamp", "1719840600", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        ("timestamp", "1719840600000", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        ("ts_utc", "2024-07-01T13:30:00", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
        ("ts_utc", "2024-07-01T13:30:00Z", datetime(2024, 7, 1, 13, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_their_zone_and_told_exchange_local(column, cell, instant):
    data = parse_bars(csv_text([(cell, 1, 1, 1, 1, 5)], f"{column},open,high,low,close,volume"), Market.US)
    assert int(data.bars.starts[0]) == int(instant.timestamp())
    assert data.label(0) == "2024-07-01T09:30:00-04:00"


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "market"),
    [
        ("krx_daily_2000_2018/005930.csv", Market.KRX),
        ("krx_daily_2018_2021/035720.csv", Market.KRX),
        ("us_daily_wiki_2000_2013/AAPL.csv", Market.US),
        ("us_minute/AAPL_2016.csv", Market.US),
    ],
)
@pytest.mark.parametrize("preset", ["ma_cross", "rsi", "bollinger"])
def test_real_prices_backtest_with_cash_that_adds_up(file, market, preset):
    path = SHELF / file
    if not path.exists():
        pytest.skip(f"recorded prices are not here: {file}")
    data = read_bars(path, market)
    report = run(parse_rule(preset_text(preset)), data, symbol="T", market=market, cash=100_000_000.0)
    assert report.trades
    gained = sum(one.pnl for one in report.trades)
    assert report.final_equity == pytest.approx(100_000_000.0 + gained, abs=1e-3)
    assert report.equity.min() > 0


def test_bars_of_a_broker_stand_beside_those_kept_and_replace_what_they_say_anew(tmp_path):
    first = [
        ["2026-03-10T13:30:00+00:00", "10", "11", "9", "10.5", 100],
        ["2026-03-10T13:31:00+00:00", "10.5", "11", "10", "11", 50],
    ]
    library.merge(tmp_path, Market.US, "KO", Timeframe.M1, first)
    more = [
        ["2026-03-10T13:29:00+00:00", "9", "10", "9", "10", 7],
        ["2026-03-10T13:31:00+00:00", "10.5", "12", "10", "12", 60],
    ]
    found = library.merge(tmp_path, Market.US, "KO", Timeframe.M1, more)
    bars = library.kept(tmp_path, Market.US, "KO", Timeframe.M1).bars
    assert found.bars == 3 and bars.close.tolist() == [10, 10.5, 12]
    assert library.age_s(tmp_path, Market.US, "KO", Timeframe.M1, datetime.now(UTC)) < 600
    assert library.age_s(tmp_path, Market.US, "PEP", Timeframe.M1, datetime.now(UTC)) is None
    assert library.home_of(tmp_path, Environment.SIM) != library.home_of(tmp_path, Environment.LIVE)


def test_a_refused_bar_of_a_broker_leaves_what_is_kept(tmp_path):
    library.merge(tmp_path, Market.US, "KO", Timeframe.D1, [["2026-03-10T04:00:00+00:00", "10", "11", "9", "10", 1]])
    with pytest.raises(ConfigError):
        library.merge(
            tmp_path, Market.US, "KO", Timeframe.D1, [["2026-03-11T04:00:00+00:00", "10", "11", "0", "10", 1]]
        )
    assert len(library.kept(tmp_path, Market.US, "KO", Timeframe.D1).bars) == 1
