"""A what-if looks at the last days: warmed up at their first bar, on kept bars or on what the bots recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bots.backtest import library
from bots.backtest.data import parse_bars
from bots.backtest.jobs import perform
from bots.backtest.recent import last_days, of_minutes
from bots.rules.plan import plan_of
from shared.db import writing
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError
from shared.domain.market import Timeframe
from shared.domain.rule.parse import parse_rule
from shared.models import PriceBar

RULE = """version: "1.0"
metadata: {name: w}
strategy:
  id: w
  timeframe: TIMEFRAME
  indicators: [{id: sma, alias: slow, params: {period: 5}}]
  entry: {logic: AND, conditions: [{indicator: close, operator: greater_than, compare_to: slow}]}
  exit: {logic: AND, conditions: [{indicator: close, operator: less_than, compare_to: slow}]}
sizing: {mode: shares, value: 1}
universe: [AAPL]
"""


def rule(timeframe: str = "1d"):
    return parse_rule(RULE.replace("TIMEFRAME", timeframe))


def test_the_cut_keeps_the_days_and_the_warm_up_before_them():
    rows = "\n".join(f"2026-{month:02}-{day:02},1,1,1,1,1" for month in (1, 2, 3) for day in range(1, 28))
    data = parse_bars("date,open,high,low,close,volume\n" + rows, Market.US)
    cut = last_days(data, rule(), 20)
    assert len(cut.bars) == 20 + plan_of(rule()).warm_up - 1 and cut.label(len(cut.bars) - 1) == "2026-03-27"
    assert len(last_days(data, rule(), 1000).bars) == len(data.bars)


def minutes(count: int, start: datetime = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)):
    return [
        (start + timedelta(minutes=i), Decimal(100 + i), Decimal(105 + i), Decimal(95 + i), Decimal(101 + i), 10)
        for i in range(count)
    ]


def test_minutes_become_bars_of_the_rule_on_the_exchanges_clock():
    made = of_minutes(minutes(12), Market.US, Timeframe.M5, "x")
    assert made is not None and made.label(0).startswith("2026-11-19T09:30") and len(made.bars) == 3
    assert [float(one[0]) for one in (made.bars.open, made.bars.high, made.bars.low, made.bars.close)] == [
        100, 109, 95, 105,
    ]  # fmt: skip
    assert float(made.bars.volume[0]) == 50 and float(made.bars.volume[2]) == 20
    daily = of_minutes(minutes(12), Market.US, Timeframe.D1, "x")
    assert daily is not None and daily.daily and len(daily.bars) == 1
    assert of_minutes([], Market.US, Timeframe.M5, "x") is None


def test_without_kept_bars_the_recorded_ones_serve_and_without_both_it_is_refused(store: Engine, tmp_path: Path):
    asked = {"kind": "run", "market": "US", "symbols": ["AAPL"], "cash": 1e4, "days": 20, "environment": "SIM"}
    text = RULE.replace("TIMEFRAME", "1m")
    with pytest.raises(ConfigError) as refused:
        perform(text, asked, tmp_path, lambda done, total: None, store)
    assert refused.value.code == "no_bars"
    with writing(store) as session:
        for start, opened, high, low, close, volume in minutes(60):
            session.add(
                PriceBar(
                    environment="SIM", market="US", symbol="AAPL", timeframe="1m", start=start, open=opened, high=high,
                    low=low, close=close, volume=volume,
                )
            )  # fmt: skip
    found = perform(text, asked, tmp_path, lambda done, total: None, store)
    assert found["bars"] == 60 and found["trades"]
    with pytest.raises(ConfigError):  # another environment's prices are not these
        perform(text, asked | {"environment": "LIVE"}, tmp_path, lambda done, total: None, store)


def test_a_demo_rule_may_be_tried_on_bars_of_the_local_exchange_and_no_other_rule(tmp_path: Path):
    file = tmp_path / "b.csv"
    rows = "\n".join(f"2026-03-{day:02},1,1,1,1,1" for day in range(1, 28))
    file.write_text("date,open,high,low,close,volume\n" + rows + "\n")
    library.keep(library.home_of(tmp_path, Environment.SIM), Market.US, "AAPL", file)
    asked = {"kind": "run", "market": "US", "symbols": ["AAPL"], "cash": 1e4}
    assert (
        perform(RULE.replace("TIMEFRAME", "1d"), asked | {"environment": "SIM"}, tmp_path, lambda a, b: None)["bars"]
        == 27
    )
    with pytest.raises(ConfigError) as refused:
        perform(RULE.replace("TIMEFRAME", "1d"), asked | {"environment": "LIVE"}, tmp_path, lambda a, b: None)
    assert "AAPL.1d.csv" in refused.value.now
    assert [one.symbol for one in library.listed(tmp_path)] == ["AAPL"]
