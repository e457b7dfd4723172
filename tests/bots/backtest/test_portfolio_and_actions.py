"""By hand: shared cash, volume shares, dividends, splits, limits, order units, account limits, kept bars, Parquet."""

from datetime import date
from decimal import Decimal

import pytest

from bots.backtest import library, run
from bots.backtest.costs import costs_for
from bots.backtest.data import parse_bars, read_bars
from bots.backtest.metrics import benchmark, metrics_of, monthly
from bots.risk.snapshot import Limits
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.market import Timeframe
from shared.domain.order import Side
from shared.domain.rule.parse import parse_rule
from tests.bots.backtest.prices import csv_text, days_from, flat_bars, price_data
from tests.bots.backtest.test_fast import BUY_BELOW

ENGINES = pytest.mark.parametrize("engine", ["fast", "replay"])
DAYS = [date(2024, 1, one) for one in (2, 3, 4, 5, 8, 9, 10)]


def rows_of(report):
    return [(one.symbol, one.entry, one.entry_price, one.exit, one.exit_price, one.quantity) for one in report.trades]


def play(data, more="", *, market=Market.US, cash=1_000.0, costs="none", **options):
    return run(parse_rule(BUY_BELOW.format(more)), data, symbol="T", market=market, cash=cash, costs=costs, **options)


@ENGINES
def test_symbols_share_the_cash_in_equal_parts_and_sales_pay_for_purchases(engine):
    one, other = flat_bars([99, 120, 99, 99]), flat_bars([101, 99, 99, 120])
    report = play({"A": one, "B": other}, engine=engine)
    # A: 500 → 5 at 99, sold at 120 when B is bought: equity 1,105 → 552.50 → 5 at 99.
    assert rows_of(report)[0] == (0, 1, 99.0, 2, 120.0, 5)
    assert (1, 2, 99.0, None, None, 5) in rows_of(report)
    assert report.equity.tolist()[:2] == [1_000.0, 1_000.0 - 5 * 99 + 5 * 120]
    document = report.as_json()
    assert {one["symbol"] for one in document["trades"]} == {"A", "B"} and document["bars"] == 8


@ENGINES
def test_what_a_bars_volume_does_not_take_is_sold_at_the_next_opens(engine):
    data = price_data(
        [99, 99, 115, 114, 113, 90],
        [99, 99, 115, 114, 113, 90],
        [99, 99, 115, 114, 113, 90],
        [99, 111, 115, 114, 113, 90],
    )
    data.bars.volume[:] = [1e6, 100, 40, 30, 1e6, 1e6]
    report = play(data, cash=100_000.0, costs="default", engine=engine)
    found = [(one.exit, one.quantity) for one in report.trades][:3]
    assert found == [(2, 4), (3, 3), (4, 3)]  # a tenth of 100 bought; a tenth of 40, of 30, then the rest
    assert sum(one.quantity for one in report.trades) == 10
    assert "thin_volume" in [one.code for one in report.warnings]


@ENGINES
def test_a_dividend_is_paid_to_who_held_before_the_ex_date(engine):
    rows = [
        (day, price, price, price, price, 1_000, paid)
        for day, price, paid in zip(DAYS, [99, 99, 99, 112, 112], [0, 5, 2, 1, 3], strict=False)
    ]
    data = parse_bars(csv_text(rows, "date,open,high,low,close,volume,dividend"), Market.US, actions=True)
    report = play(data, engine=engine)
    # Bought at the open of the 3rd (its dividend went to yesterday's holder), sold at the open of the 8th.
    assert report.trades[0].pnl == 10 * (112 - 99) + 10 * (2 + 1 + 3)
    assert report.final_equity == 1_000 + report.trades[0].pnl
    taxed = costs_for("default", Market.US).net_dividend(2.0), costs_for("default", Market.KRX).net_dividend(361.0)
    assert taxed == (Decimal("1.7"), Decimal("305.406"))


def test_a_split_adjusts_the_bars_before_it_and_unused_columns_are_told():
    rows = [
        (DAYS[0], 200, 210, 190, 200, 10, 0, 1),
        (DAYS[1], 100, 110, 90, 100, 20, 0.5, 2),
        (DAYS[2], 100, 110, 90, 100, 20, 0, 1),
    ]
    text = csv_text(rows, "date,open,high,low,close,volume,ex_dividend,split_ratio")
    used, unused = parse_bars(text, Market.US, actions=True), parse_bars(text, Market.US)
    assert used.bars.close.tolist() == [100, 100, 100] and used.bars.volume.tolist() == [20, 20, 20]
    assert used.dividends == ((1, 0.5),) and unused.dividends == () and unused.bars.close[0] == 200
    assert [one.code for one in used.warnings] == ["actions_used"]
    assert [(one.code, one.lines) for one in unused.warnings] == [("actions_ignored", (3,))]
    with pytest.raises(ConfigError) as caught:
        parse_bars(text.replace(",0.5,2", ",none,2"), Market.US)
    assert "line 3, column ex_dividend" in caught.value.what


def test_slippage_stays_inside_the_limits_of_the_day_and_units_follow_the_date():
    costs = costs_for("default", Market.KRX)
    on, base = date(2024, 3, 4), Decimal(10_000)
    assert costs.slipped(Side.BUY, Decimal(13_000), on, base) == 13_000  # the upper limit
    assert costs.slipped(Side.BUY, Decimal(12_990), on, base) == 13_000
    assert costs.slipped(Side.SELL, Decimal(7_000), on, base) == 7_000
    assert costs.slipped(Side.BUY, Decimal(14_000), on, base) == 14_010  # another base: ex-rights
    assert costs.units(17, Decimal(49_950), date(2014, 5, 30)) == 10
    assert (
        costs.units(17, Decimal(49_950), date(2014, 6, 2)) == costs.units(17, Decimal(50_000), date(2014, 5, 30)) == 17
    )


def test_account_limits_refuse_what_the_live_guards_refuse():
    data = flat_bars([99, 120, 99, 120, 99, 120, 99])
    free = Limits(Decimal(10**12), Decimal(10**12), Decimal(10**12), Decimal(10**12), 10**6, Decimal(10**6))
    assert len(play(data, engine="replay", limits=free).trades) == 3
    tight = Limits(Decimal(500), Decimal(10**12), Decimal(10**12), Decimal(10**12), 10**6, Decimal(10**6))
    assert len(play(data, engine="replay", limits=tight).trades) == 0
    assert len(play(data, "sizing: {mode: shares, value: 5}", engine="replay", limits=tight).trades) == 3


def test_bars_are_kept_and_found_again(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(csv_text([(day, 10.1, 11, 9, 10, 100) for day in DAYS]), encoding="utf-8")
    found = library.keep(tmp_path, Market.US, "AAPL", file)
    assert (found.timeframe, found.bars, found.first) == (Timeframe.D1, 7, "2024-01-02")
    assert library.listed(tmp_path) == [found]
    again = library.kept(tmp_path, Market.US, "AAPL", Timeframe.D1)
    assert again.bars.open.tolist() == [10.1] * 7 and again.daily
    with pytest.raises(ConfigError) as caught:
        library.kept(tmp_path, Market.US, "MSFT", Timeframe.D1)
    assert "data import" in caught.value.now
    with pytest.raises(ConfigError):
        library.keep(tmp_path, Market.KRX, "삼성", file)


def test_parquet_is_read_as_a_csv_would_be(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {
        "date": DAYS,
        **{name: [10.5 + place for place in range(7)] for name in ("open", "high", "low", "close")},
        "volume": [100] * 7,
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
    data = read_bars(tmp_path / "x.parquet", Market.US)
    assert data.daily and data.bars.close.tolist() == columns["close"]
    columns["low"] = [10.5, None, *columns["low"][2:]]
    parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
    with pytest.raises(ConfigError) as caught:
        read_bars(tmp_path / "x.parquet", Market.US)
    assert "line 3, column low" in caught.value.what
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ConfigError):
        read_bars(tmp_path / "x.parquet", Market.US)


def test_months_and_buy_and_hold_by_hand():
    rows = [
        (day, 100, 100, 100, price, 1_000)
        for day, price in zip(days_from(date(2024, 1, 30), 4), (100, 110, 99, 120), strict=True)
    ]
    report = play(parse_bars(csv_text(rows), Market.US))
    assert benchmark(report).tolist() == [1_000.0, 1_100.0, 990.0, 1_200.0]
    assert list(monthly(report)) == ["2024-01", "2024-02"]
    figures = {one.name: one.value for one in metrics_of(report)}
    assert figures["benchmark_pct"] == pytest.approx(20.0) and figures["trades"] == 0
    assert all(one.definition and one.ko and one.en for one in metrics_of(report))


def test_exposure_counts_a_position_sold_in_pieces_once():
    data = price_data(
        [99, 99, 115, 114, 113], [99, 99, 115, 114, 113], [99, 99, 115, 114, 113], [99, 111, 115, 114, 113]
    )
    data.bars.volume[:] = [1e6, 100, 40, 30, 1e6]
    report = play(data, cash=100_000.0, costs="default")
    figures = {one.name: one.value for one in metrics_of(report)}
    assert figures["exposure_pct"] == pytest.approx(60.0) and figures["trades"] == 3  # bars 1, 2 and 3 of five
