"""Parity over a real bot's day: what was planted is found on its symbol and named, the untouched symbol has no difference.

The broker's own bars of the day are the tape; the bot trades four symbols with the same rule.
"""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import delete

from bots.backtest import library
from bots.market_data import MarketData
from shared.db import writing
from shared.domain.account import Environment, Market
from shared.domain.market import Tick, Timeframe
from shared.models import PriceBar
from tests.bots.lockstep import Run, session
from tests.e2e import golden

MINUTES = 100
CLEAN, LATE, EDITED, LOST = "AAPL", "MSFT", "NVDA", "TSLA"
RULE = """
metadata: {{name: cross}}
strategy:
  id: cross
  timeframe: 1m
  evaluate: bar_close
  indicators: [{{id: sma, alias: fast, params: {{period: {0}}}}}, {{id: sma, alias: slow, params: {{period: 20}}}}]
  entry: {{conditions: [{{indicator: fast, operator: cross_above, compare_to: slow}}]}}
  exit: {{conditions: [{{indicator: fast, operator: cross_below, compare_to: slow}}]}}
sizing: {{mode: shares, value: 3}}
execution: {{order_type: MARKET}}
universe: ['{1}']
"""
LATE_AT = golden.OPENS_AT + timedelta(minutes=40, seconds=45)  # the last trade of a minute
EDITED_AT = golden.OPENS_AT + timedelta(minutes=30)
LOST_AT = golden.OPENS_AT + timedelta(minutes=60)


def hold_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last trade of one minute of LATE reaches the bot after the next minute's first, at another price."""
    count, held = MarketData.on_tick, list[Tick]()

    def on_tick(self: MarketData, tick: Tick) -> None:
        if tick.symbol == LATE and tick.at == LATE_AT:
            self.feed.on_tick(tick)
            held.append(tick)
            return
        count(self, tick)
        if tick.symbol == LATE and held:
            count(self, held.pop())

    monkeypatch.setattr(MarketData, "on_tick", on_tick)


async def edit(live: Run) -> None:
    live.stage.save_rule(3, RULE.format(9, EDITED))
    assert live.bot is not None
    trader = live.bot.p.trader
    live.bot.p.sync.soon()
    await live.until("the edit is in force", lambda: dict(trader.rules[3].rule.indicators[0].params)["period"] == 9)


async def test_a_late_tick_an_edit_and_a_lost_bar_are_named_and_the_rest_of_the_day_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = golden.TAPE.read_text(encoding="utf-8").splitlines()[: MINUTES + 1]
    tape = tmp_path / "tape.csv"
    tape.write_text("\n".join(lines) + "\n", encoding="utf-8")
    hold_back(monkeypatch)
    rules = {symbol: RULE.format(5, symbol) for symbol in (CLEAN, LATE, EDITED, LOST)}
    async with session(tmp_path, dict.fromkeys(rules, tape), rules, monkeypatch) as live:
        home = library.home_of(live.stage.settings.home, Environment.SIM)
        for symbol in rules:
            rows = [(row["ts_utc"], *list(row.values())[1:]) for row in csv.DictReader(lines)]
            library.merge(home, Market.US, symbol, Timeframe.M1, rows)
        await live.play(EDITED_AT)
        await edit(live)
        await live.play()
        await live.told()
        with writing(live.stage.engine) as store:
            store.exec(delete(PriceBar).where(PriceBar.symbol == LOST, PriceBar.start == LOST_AT))  # type: ignore[arg-type]
        found = live.parity(golden.OPENS_AT.date()).differences
    named = {symbol: {one.cause for one in found if one.symbol == symbol} for symbol in rules}
    assert named == {CLEAN: set(), LATE: {"late_tick"}, EDITED: {"config_edit"}, LOST: {"missed_bar"}}, found
    late = next(one for one in found if one.symbol == LATE)
    assert late.at == LATE_AT.replace(second=0)
    assert next(one for one in found if one.symbol == LOST).at == LOST_AT
