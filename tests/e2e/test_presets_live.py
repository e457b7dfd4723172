"""Three kinds of rule through a real bot on a replayed tape: the trades are those of the backtest, and parity finds a clean day.

Prices at speed are the machine's (see test_replay.py); what must agree exactly are the bar of each decision, side and shares.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.backtest import run
from bots.backtest.data import parse_bars
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from tests.e2e import golden, test_replay
from tests.e2e.desk import Desk
from tests.e2e.test_replay import NUMBER, Session

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(420)]

MINUTES = 150
CROSS = test_replay.RULE
HEAD = (
    "version: '1.0'\nmetadata: {{{{name: {0}}}}}\n"
    "strategy: {{{{id: {0}, timeframe: 1m, evaluate: bar_close}}}}\nuniverse: {{symbols}}\n"
)
GRID = (
    HEAD.format("grid")
    + "sizing: {{mode: shares, value: 2}}\nexecution: {{order_type: MARKET}}\ngrid: {{upper: 203, lower: 197, levels: 4}}\n"
)
# Bought on a cross, not on every bar: at speed a bar lasts half a second, and one order at a time is in flight.
DCA = (
    HEAD.format("dca").replace(
        "evaluate: bar_close",
        "evaluate: bar_close, indicators: [{{id: sma, alias: fast, params: {{period: 3}}}}, {{id: sma, alias: slow, params: {{period: 12}}}}],"
        " entry: {{conditions: [{{indicator: fast, operator: cross_below, compare_to: slow}}]}}, exit: {{conditions: [{{indicator: close, operator: greater_than, value: 202.4}}]}}",
    )
    + "sizing: {{mode: shares, value: 8}}\nladder: {{splits: 4, order_type: MARKET}}\n"
    "execution: {{order_type: MARKET}}\n"
)
RULES = {"AAPL": CROSS, "MSFT": GRID, "NVDA": DCA}


class Several(Session):
    """One account, a rule per symbol, the same prices for each."""

    def prepare(self) -> None:
        self.desk.setup("--no-demo")
        keys = {"app_key": "PS" + "a1" * 17, "app_secret": "s3cr3t" * 30, "account_no": NUMBER}
        limits = ("--max-order-amount", "50000", "--max-symbol-amount", "90000", "--max-daily-buy", "2000000")
        more = ("--max-daily-loss", "9000", "--max-trades-per-day", "1000")
        self.desk.cli(
            *("account", "add", "presets", "--broker", "KIS", "--market", "US", "--env", "SIM", *limits, *more),
            stdin=json.dumps(keys),
        )
        for symbol, text in RULES.items():
            file = self.desk.folder / f"{symbol}.yaml"
            file.write_text(text.format(symbols=json.dumps([symbol])), encoding="utf-8")
            added = self.desk.cli("rule", "add", str(file), "--account", "1", "--max-position", "60")
            self.desk.cli("rule", "enable", str(added["id"]))
        self.desk.cli("account", "enable", "1")


def decided(symbol: str, tape: str) -> list[tuple[str, int, str]]:
    """(side, shares, start of the bar) of every trade of the backtest on the same minutes."""
    data = parse_bars(tape, Market.US)
    rule = parse_rule(RULES[symbol].format(symbols=json.dumps([symbol])))
    report = run(rule, data, symbol=symbol, market=Market.US, cash=100_000, costs="none", engine="replay")
    fills: list[tuple[int, str, int]] = [(one.bar, one.side.value, one.quantity) for one in report.walked.fills]
    if not fills:  # a rule that trades whole positions
        for one in report.trades:
            fills.append((one.entry, "BUY", one.quantity))
            if one.exit is not None:
                fills.append((one.exit, "SELL", one.quantity))
    starts = data.bars.starts
    found = sorted((int(starts[bar - 1]), side, shares) for bar, side, shares in fills)
    return [(side, shares, f"{test_replay.utc(at):%H:%M}") for at, side, shares in found]


def traded(session: Session) -> dict[str, list[tuple[str, int, str]]]:
    found: dict[str, list[tuple[str, int, str]]] = {symbol: [] for symbol in RULES}
    rows: list[Any] = session.desk.journal_rows(
        1, "SELECT symbol, side, quantity, signal_key FROM orders ORDER BY created_at"
    )
    for row in rows:
        at = test_replay.utc(int(row["signal_key"].split(":")[3]) - 60)
        found[row["symbol"]].append((row["side"], row["quantity"], f"{at:%H:%M}"))
    return found


def test_a_cross_a_grid_and_split_buying_trade_live_what_their_backtest_says(
    new_desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_replay, "SPEED", 100)
    lines = golden.TAPE.read_text(encoding="utf-8").splitlines()[: MINUTES + 1]
    tape = tmp_path / "tape.csv"
    tape.write_text("\n".join(lines) + "\n", encoding="utf-8")
    session = Several(new_desk(), dict.fromkeys(RULES, tape), golden.OPENS_AT + timedelta(minutes=MINUTES))
    session.prepare()
    session.play()
    live = traded(session)
    last = f"{golden.OPENS_AT + timedelta(minutes=MINUTES - 1):%H:%M}"  # its decision has no next bar on the tape
    for symbol in RULES:
        assert [one for one in live[symbol] if one[2] != last] == decided(symbol, tape.read_text(encoding="utf-8")), (
            symbol
        )
        assert len(live[symbol]) >= 3, symbol
    parity = session.desk.cli("backtest", "parity", "1", "--day", f"{golden.OPENS_AT:%Y-%m-%d}")
    assert parity["differences"] == [] and parity["judged"] > 3 * (MINUTES - 30), parity
