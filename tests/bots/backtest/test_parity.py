"""Parity: a clean day has no difference; a late tick, an edited rule and a lost minute are found and named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import numpy as np
import pytest
from msgspec import structs
from sqlmodel import select

from bots import outgoing
from bots.backtest import library, parity
from bots.rules.evaluate import evaluate
from bots.rules.series import Bars, Holding, MarketView
from shared.db import writing
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Verdict
from shared.models import (
    BrokerageAccount,
    FillRow,
    OrderRow,
    Owner,
    PriceBar,
    RuleVersion,
    StrategySignal,
    TradeRule,
    User,
)

OPENS = datetime(2026, 3, 10, 13, 30, tzinfo=UTC)  # 09:30 in New York
DAY = date(2026, 3, 10)
RULE = """
metadata: {{name: cross}}
strategy:
  id: cross
  timeframe: 1m
  indicators:
    - {{id: sma, alias: fast, params: {{period: {fast}}}}}
    - {{id: sma, alias: slow, params: {{period: 20}}}}
  entry: {{conditions: [{{indicator: fast, operator: cross_above, compare_to: slow}}]}}
  exit: {{conditions: [{{indicator: fast, operator: cross_below, compare_to: slow}}]}}
sizing: {{mode: shares, value: 3}}
universe: ["AAPL"]
"""


def minutes(length=390, seed=3):
    noise = np.random.default_rng(seed)
    close = np.round(200 + 3 * np.sin(np.arange(length) / 9) + np.cumsum(noise.normal(0, 0.05, length)), 2)
    opened = np.concatenate((close[:1], close[:-1]))
    starts = int(OPENS.timestamp()) + 60 * np.arange(length)
    return Bars(starts, opened, np.maximum(opened, close), np.minimum(opened, close), close, np.full(length, 500.0))


class Recorder:
    """Writes a store as a bot does that judged `bars` all day: signals with their numbers, orders, fills, minutes."""

    def __init__(self, engine, text=RULE.format(fast=5)):
        self.engine, self.numbers = engine, count(1)
        with writing(engine) as session:
            session.add(User(id=1, email="a@b.c", role="ADMIN", created_at=OPENS, password_hash="x"))
            session.add(Owner(id=1, name="o", created_at=OPENS))
            session.flush()
            session.add(
                BrokerageAccount(
                    id=1, owner_id=1, user_id=1, nickname="t", broker="KIS", market="US", environment="SIM", created_at=OPENS
                )
            )  # fmt: skip
            session.flush()
            before = OPENS - timedelta(days=9)
            session.add(
                TradeRule(
                    id=1, account_id=1, name="cross", symbol="AAPL", enabled=True, created_at=before, updated_at=before
                )
            )
            session.flush()
        self.save_version(text, before)

    def save_version(self, text, at):
        with writing(self.engine) as session:
            number = len(session.exec(select(RuleVersion)).all()) + 1
            session.add(RuleVersion(rule_id=1, number=number, text=text, text_hash=str(number), created_at=at))

    def live(self, bars, versions, gap=1.0):
        """Trade the day: `versions` is (from bar, version id, text), oldest first; `gap` × close is the trade that closes
        a bar whose close sells."""
        held = None
        with writing(self.engine) as session:
            for place in range(len(bars)):
                version_id, text = [(number, one) for begin, number, one in versions if begin <= place][-1]
                rule = parse_rule(text)
                object.__setattr__(rule, "rule_id", 1)
                object.__setattr__(rule, "version_id", version_id)
                at = datetime.fromtimestamp(int(bars.starts[place]) + 60, UTC)
                holding = None if held is None else Holding(3, held[0], place - held[1], held[0])
                view = MarketView("AAPL", at, bars.until(place + 1), True, float(bars.close[place]), holding)
                decision = evaluate(rule, view)
                if decision.verdict is Verdict.HOLD:
                    continue
                if decision.verdict is Verdict.SELL:
                    decision = evaluate(rule, structs.replace(view, last_price=gap * float(bars.close[place])))
                self._trade(session, decision, float(bars.close[place]), at)
                held = (float(bars.close[place]), place + 1) if decision.verdict is Verdict.BUY else None

    def _trade(self, session, decision, price, at):
        number = next(self.numbers)
        kind = "ENTRY" if decision.verdict is Verdict.BUY else "EXIT"
        payload = {
            "symbol": "AAPL", "reason": decision.reason, "version_id": decision.version_id, "market_at": at.isoformat(),
            "steps": outgoing.steps(decision),
        }  # fmt: skip
        session.add(
            StrategySignal(
                account_id=1, rule_id=1, type=kind, signal_key=decision.signal_key, payload=payload, created_at=at
            )
        )
        session.add(
            OrderRow(
                id=number, account_id=1, rule_id=1, version_id=decision.version_id, client_order_id=str(number),
                symbol="AAPL", side=decision.verdict.value, qty=3, price=Decimal(str(price)), status="FILLED",
                placed_at=at, updated_at=at, filled_qty=3,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            FillRow(
                order_id=number, account_id=1, execution_id=str(number), symbol="AAPL", side=decision.verdict.value, qty=3,
                price=Decimal(str(price)), filled_at=at + timedelta(seconds=2), recorded_at=at,
            )
        )  # fmt: skip

    def record(self, bars, without=()):
        with writing(self.engine) as session:
            for place in range(len(bars)):
                if place in without:
                    continue
                prices = [Decimal(str(float(one[place]))) for one in (bars.open, bars.high, bars.low, bars.close)]
                start = datetime.fromtimestamp(int(bars.starts[place]), UTC)
                names = dict(zip(("open", "high", "low", "close"), prices, strict=True))
                session.add(
                    PriceBar(
                        environment="SIM", market="US", symbol="AAPL", timeframe="1m", start=start, volume=500, **names
                    )
                )


def compared(store, tmp_path, day=DAY):
    return parity.compare(store, tmp_path, 1, day)


@pytest.fixture
def recorder(store):
    return Recorder(store)


def test_a_clean_day_has_no_difference(recorder, store, tmp_path):
    bars = minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    recorder.record(bars)
    found = compared(store, tmp_path)
    assert found.differences == ()
    assert found.signals >= 10 and found.judged == 390 - 20 and found.unjudged == 20 and found.bars == 390
    assert compared(store, tmp_path, None).day == DAY  # the last recorded one


def test_a_stop_that_the_trade_closing_the_bar_had_reached_is_that_closes_exit(recorder, store, tmp_path):
    text = RULE.format(fast=5) + "risk: {stop_loss: {enabled: true, percent: 10}}\n"
    recorder.save_version(text, OPENS - timedelta(days=8))
    bars = minutes()
    bars = Bars(bars.starts, bars.open, bars.high, 0.5 * bars.close, bars.close, bars.volume)
    recorder.live(bars, [(0, 2, text)], gap=0.6)
    recorder.record(bars)
    with writing(store) as session:
        reasons = [one.payload["reason"] for one in session.exec(select(StrategySignal))]
    assert reasons.count("stop_loss") >= 5 and "exit" not in reasons
    assert compared(store, tmp_path).differences == ()


def test_a_lost_minute_is_found_and_named(recorder, store, tmp_path):
    bars = minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    recorder.record(bars, without={200})
    found = compared(store, tmp_path)
    assert found.differences and {one.cause for one in found.differences} == {"missed_bar"}
    assert int(bars.starts[200]) in {int(one.at.timestamp()) for one in found.differences}


def test_a_rule_edited_in_the_day_is_found_and_named(recorder, store, tmp_path):
    bars = minutes()
    recorder.save_version(RULE.format(fast=9), OPENS + timedelta(minutes=150))
    recorder.live(bars, [(0, 1, RULE.format(fast=5)), (150, 2, RULE.format(fast=9))])
    recorder.record(bars)
    found = compared(store, tmp_path)
    assert {one.cause for one in found.differences} == {"config_edit"}
    assert len(found.differences) > 1 and found.differences[0].live == "v2"


def test_a_tick_that_came_after_the_decision_is_found_and_named(recorder, store, tmp_path):
    bars = minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    ends = [one for one in range(100, 390) if _signal_at(store, bars, one)]
    changed = bars.close.copy()
    changed[ends[0]] += 0.4  # what the minute turned out to be
    recorder.record(
        Bars(
            bars.starts, bars.open, np.maximum(bars.high, changed), np.minimum(bars.low, changed), changed, bars.volume
        )
    )
    found = compared(store, tmp_path)
    assert found.differences and {one.cause for one in found.differences} == {"late_tick"}


def test_a_late_tick_shows_against_the_brokers_bars_though_no_decision_changed(recorder, store, tmp_path):
    bars = minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    recorder.record(bars)
    lines = ["ts_utc,open,high,low,close,volume"]
    for place in range(len(bars)):
        at = datetime.fromtimestamp(int(bars.starts[place]), UTC).isoformat()
        high = bars.high[place] + (0.25 if place == 250 else 0)
        lines.append(f"{at},{bars.open[place]},{high},{bars.low[place]},{bars.close[place]},500")
    file = tmp_path / "broker.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    library.keep(tmp_path / "sim", Market.US, "AAPL", file)
    found = compared(store, tmp_path)
    assert [(one.cause, int(one.at.timestamp())) for one in found.differences] == [("late_tick", int(bars.starts[250]))]


def test_a_trade_that_no_rule_asked_for_is_unexplained(recorder, store, tmp_path):
    bars = minutes()
    recorder.live(bars, [(0, 1, RULE.format(fast=5))])
    recorder.record(bars)
    with writing(store) as session:
        last = session.exec(select(StrategySignal).order_by(StrategySignal.id.desc())).first()
        session.delete(last)
    assert {one.cause for one in compared(store, tmp_path).differences} == {"unexplained"}


def _signal_at(store, bars, place):
    end = int(bars.starts[place]) + 60
    with writing(store) as session:
        return any(f":{end}:" in one.signal_key for one in session.exec(select(StrategySignal)))
