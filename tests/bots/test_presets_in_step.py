"""Every preset on the same real bars three times: compiled, replayed, and by a real bot on the local exchange.

The bars are a year's half of Tesla's days, played as minutes of one session so that a live run takes seconds. Each preset has a
symbol of its own with these prices and buys a fixed number of shares: money and neighbours stand in nobody's way.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bots.backtest import run
from bots.backtest.data import parse_bars
from bots.rules.presets import preset_names, preset_text
from docs.presets.pictures import seeded_bars
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.market import Timeframe
from shared.domain.order import OrderType
from shared.domain.rule.model import EvaluateOn, Execution, Rule, Sizing, SizingMode
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.write import to_yaml
from tests.bots.lockstep import session

REAL = ROOT.parent / "shared" / "data" / "us_daily_wiki_2015_2017" / "TSLA.csv"
BARS = 160
OPENS_AT = datetime(2026, 3, 10, 13, 30, tzinfo=UTC)
# Shorter than their defaults where a default would see nothing in half a year.
SHORTER = {
    "ma_cross": {"fast_period": 5, "slow_period": 20}, "composite_vote": {"fast_period": 5, "slow_period": 20},
    "week52_high": {"lookback": 60}, "momentum": {"lookback": 20}, "trend_filter": {"trend_period": 20}, "rsi": {"period": 4},
    "grid": {"upper": 260, "lower": 180, "levels": 8}, "dca_limit": {"amount": 20_000},
}  # fmt: skip
KINDS = ["ma_cross", "volatility_breakout", "composite_vote", "week52_high", "strong_close"]  # the others: -m soak
SHORT = 100
STEP_BY_TICK = {"dca_limit"}  # its next step follows from the average price: a tick of spread at a live fill moves it
SESSION_ENDS = {"dca_loc"}  # buys at the closing auction only: once a session
SEVERAL = {"rebalance_60_40", "pairs"}  # weights of the whole account
NAMES = [one for one in preset_names() if not one.startswith("demo_") and one not in SESSION_ENDS | SEVERAL]
SYMBOLS = {name: f"P{chr(65 + place)}" for place, name in enumerate(NAMES)}
Deal = tuple[int, str, int]  # bar of the fill, side, shares


def rule_of(name: str) -> Rule:
    rule = bind(parse_rule(preset_text(name)), SHORTER.get(name))
    if (
        rule.ladder is not None
    ):  # its resting limits stand in the way of its own sales live: the cancel takes a price longer
        rule = replace(rule, ladder=replace(rule.ladder, order_type=OrderType.MARKET))
    sizing = rule.sizing if rule.ladder is not None else Sizing(SizingMode.SHARES, 2)
    made = replace(
        rule, timeframe=Timeframe.M1, evaluate=EvaluateOn.BAR_CLOSE, universe=(SYMBOLS[name],), sizing=sizing
    )
    return parse_rule(to_yaml(replace(made, execution=Execution(order_type=OrderType.MARKET), params=())))


def minutes(real: bool) -> str:
    lines = ["ts_utc,open,high,low,close,volume"]
    for place, row in enumerate(_real() if real else _made_up()):
        lines.append(",".join([f"{OPENS_AT + timedelta(minutes=place):%Y-%m-%dT%H:%M:%SZ}", *row]))
    return "\n".join(lines) + "\n"


def _real() -> list[list[str]]:
    with REAL.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:BARS]
    return [[f"{float(row[one]):.2f}" for one in ("open", "high", "low", "close")] + ["50000"] for row in rows]


def _made_up() -> list[list[str]]:
    bars = seeded_bars(5, BARS, 220.0)
    columns = [np.round(one, 2) for one in (bars.open, bars.high, bars.low, bars.close)]
    return [[*(f"{column[place]:.2f}" for column in columns), "50000"] for place in range(BARS)]


def backtested(rule: Rule, text: str, engine: str) -> list[Deal]:
    symbol = rule.universe[0]
    data = parse_bars(text, Market.US)
    report = run(rule, data, symbol=symbol, market=Market.US, cash=10_000_000, costs="none", engine=engine)
    deals = [(one.bar, one.side.value, one.quantity) for one in report.walked.fills]
    if not deals:
        for one in report.trades:
            deals.append((one.entry, "BUY", one.quantity))
            if one.exit is not None:
                deals.append((one.exit, "SELL", one.quantity))
    return sorted(deals)


SOURCES = pytest.mark.parametrize(
    "real",
    [
        False,
        pytest.param(True, marks=[pytest.mark.realdata, pytest.mark.skipif(not REAL.exists(), reason=f"no {REAL}")]),
    ],
    ids=["made-up", "real"],
)


@SOURCES
@pytest.mark.parametrize("name", NAMES)
def test_a_preset_trades_alike_compiled_and_replayed(name: str, real: bool) -> None:
    rule, text = rule_of(name), minutes(real)
    assert backtested(rule, text, "fast") == backtested(rule, text, "replay")
    assert backtested(rule, text, "replay"), "trades nothing: a test of nothing"


async def check_live(folder: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], text: str) -> None:
    tape = folder / "tape.csv"
    tape.write_text(text, encoding="utf-8")
    rules = {SYMBOLS[name]: to_yaml(rule_of(name)) for name in names}
    async with session(folder, dict.fromkeys(rules, tape), rules, monkeypatch) as live:
        await live.play()
        for name in names:
            assert live.fills(SYMBOLS[name], OPENS_AT) == backtested(rule_of(name), text, "replay"), name
        await live.told()
        assert live.parity(OPENS_AT.date()).differences == ()


async def test_kinds_of_preset_trade_live_what_their_backtest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(minutes(REAL.exists()).splitlines()[: 1 + SHORT]) + "\n"
    await check_live(tmp_path, monkeypatch, KINDS, text)


@pytest.mark.soak
@SOURCES
async def test_every_preset_trades_live_what_its_backtest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real: bool
) -> None:
    await check_live(tmp_path, monkeypatch, [one for one in NAMES if one not in STEP_BY_TICK], minutes(real))
