"""Kinds of rule through a real bot on a replayed tape: the trades are those of the backtest, and parity finds a clean day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bots.backtest import run
from bots.backtest.data import parse_bars
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from tests.bots.lockstep import Run, session
from tests.e2e import golden

pytestmark = pytest.mark.xdist_group("lockstep")

MINUTES = 150
HEAD = "version: '1.0'\nmetadata: {{name: {0}}}\nstrategy: {{id: {0}, timeframe: 1m, evaluate: bar_close{1}}}\nuniverse: ['{2}']\n"
CROSS = (
    ", indicators: [{{id: sma, alias: fast, params: {{period: {0}}}}}, {{id: sma, alias: slow, params: {{period: {1}}}}}],"
    " entry: {{conditions: [{{indicator: fast, operator: {2}, compare_to: slow}}]}}, exit: {{conditions: [{3}]}}"
)
RULES = {
    "AAPL": HEAD.format(
        "cross",
        CROSS.format(5, 20, "cross_above", "{indicator: fast, operator: cross_below, compare_to: slow}"),
        "AAPL",
    )
    + "sizing: {mode: shares, value: 3}\nexecution: {order_type: MARKET}\n",
    "MSFT": HEAD.format("grid", "", "MSFT")
    + "sizing: {mode: shares, value: 2}\nexecution: {order_type: MARKET}\ngrid: {upper: 203, lower: 197, levels: 4}\n",
    "NVDA": HEAD.format(
        "dca", CROSS.format(3, 12, "cross_below", "{indicator: close, operator: greater_than, value: 202.4}"), "NVDA"
    )
    + "sizing: {mode: shares, value: 8}\nladder: {splits: 4, order_type: MARKET}\nexecution: {order_type: MARKET}\n",
}


def decided(symbol: str, tape: str) -> list[tuple[str, int, str]]:
    """(side, shares, start of the bar decided at) of every trade of the backtest on the same minutes."""
    data = parse_bars(tape, Market.US)
    report = run(
        parse_rule(RULES[symbol]), data, symbol=symbol, market=Market.US, cash=100_000, costs="none", engine="replay"
    )
    fills = [(one.bar, one.side.value, one.quantity) for one in report.walked.fills]
    if not fills:  # a rule that trades whole positions
        for one in report.trades:
            fills.append((one.entry, "BUY", one.quantity))
            if one.exit is not None:
                fills.append((one.exit, "SELL", one.quantity))
    starts = data.bars.starts
    return [(side, shares, _at(int(starts[bar - 1]))) for bar, side, shares in sorted(fills)]


def traded(run: Run, symbol: str) -> list[tuple[str, int, str]]:
    mine = [one for one in run.orders() if one.symbol == symbol]
    ends = [int((one.request.signal_key or "").split(":")[3]) for one in mine]
    return [(one.side.value, one.quantity, _at(end - 60)) for one, end in zip(mine, ends, strict=True)]


def _at(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, golden.OPENS_AT.tzinfo):%H:%M}"


async def test_a_cross_a_grid_and_split_buying_trade_live_what_their_backtest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = tmp_path / "tape.csv"
    tape.write_text(
        "\n".join(golden.TAPE.read_text(encoding="utf-8").splitlines()[: MINUTES + 1]) + "\n", encoding="utf-8"
    )
    async with session(tmp_path, dict.fromkeys(RULES, tape), RULES, monkeypatch) as live:
        await live.play()
        for symbol in RULES:
            assert traded(live, symbol) == decided(symbol, tape.read_text(encoding="utf-8")), symbol
            assert len(traded(live, symbol)) >= 3, symbol
        await live.told()
        found = live.parity(golden.OPENS_AT.date())
        assert found.differences == () and found.judged > 3 * (MINUTES - 30), found
