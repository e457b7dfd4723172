"""The candle chart: the data once, light enough for ten thousand, with our executions, stops and resting orders."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bench.console import weight
from console.components.candles import MOST_AS_TEXT, candle_spec
from console.services.market import Candle, Chart, Mark
from shared.config import ROOT
from shared.domain.market import Timeframe

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CANDLE = (Decimal("211.52"), Decimal("211.71"), Decimal("211.33"), Decimal("211.60"))


def chart(many: int, **more: tuple[Mark, ...]) -> Chart:
    candles = tuple(Candle(AT + timedelta(minutes=n), *CANDLE, 1200 + n % 700) for n in range(many))
    return Chart(candles, more.get("trades", ()), more.get("stops", ()), "USD", more.get("resting", ()))


def test_ten_thousand_candles_weigh_less_than_400_kb() -> None:
    assert weight(candle_spec(chart(10_000), Timeframe.M1)) <= 400_000


@pytest.mark.parametrize("many", [3, MOST_AS_TEXT + 1])
def test_few_and_many_carry_the_same_figures(many: int) -> None:
    spec = candle_spec(chart(many), Timeframe.M1)
    source = spec["dataset"]["source"]
    first = source[0] if isinstance(source, tuple) else [column[0].as_py() for column in source.columns]
    assert first[0] == "11-20 15:00" and first[5] == 1200
    assert [round(one, 2) for one in first[1:5]] == [211.52, 211.60, 211.33, 211.71]


DRAWN = """
import sys
from streamlit.dataframe_util import is_dataframe_like
from console.components.candles import candle_spec
from shared.domain.market import Timeframe
from tests.console.test_candles import chart
assert not is_dataframe_like(candle_spec(chart(400), Timeframe.M1)["dataset"]["source"])
print("pandas" in sys.modules)
"""


def test_a_chart_of_a_day_does_not_bring_pandas_in() -> None:
    """It takes the first visitor 0.7 s and the process 60 MB, for nothing."""
    done = subprocess.run([sys.executable, "-c", DRAWN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_executions_stops_and_resting_orders_are_drawn_at_their_price() -> None:
    bought = Mark(AT + timedelta(minutes=1, seconds=30), Decimal("211.49"), "BUY", 3, "미국 1호")
    spec = candle_spec(
        chart(
            5,
            trades=(bought,),
            stops=(Mark(None, Decimal(207), "", 3, "미국 1호"),),
            resting=(Mark(AT, Decimal(215), "SELL", 3, "미국 1호"),),
        ),
        Timeframe.M1,
    )
    candles = spec["series"][0]
    assert candles["markPoint"]["data"][0]["coord"] == ["11-20 15:01", 211.49]
    lines = {one["yAxis"]: one["lineStyle"]["type"] for one in candles["markLine"]["data"]}
    assert lines == {207.0: "dashed", 215.0: "dotted"}
