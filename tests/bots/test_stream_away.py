"""Ten minutes of market time without a stream: the stop still gets out, by quotes asked over REST."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from shared.config import ROOT
from shared.db import reading
from shared.models import Alert, JobRun, PriceBar
from tests.bots.stage import Stage, open_stage, wait_until

TAPE = f"replay:AAPL={ROOT / 'tests' / 'data' / 'golden_tape.csv'}"
AWAY = timedelta(minutes=10)
RULE = """
version: "1.0"
metadata: {name: "항상 매수, 손절 3%"}
strategy:
  id: always
  timeframe: 1m
  evaluate: tick
  entry: {logic: AND, conditions: [{indicator: close, operator: greater_than, value: 1}]}
  exit: {logic: AND, conditions: [{indicator: close, operator: less_than, value: 1}]}
risk: {stop_loss: {enabled: true, percent: 3}}
sizing: {mode: shares, value: 2}
execution: {order_type: LIMIT, offset_ticks: 3, cooldown_sec: 86400}
"""


@pytest.fixture
def stage(tmp_path: Any) -> Iterator[Stage]:
    opened = open_stage(tmp_path, options=("--tape", TAPE, "--speed", "60"))
    yield opened
    opened.close()


def market_now(stage: Stage) -> datetime:
    return datetime.fromisoformat(stage.admin("GET", "/clock")["market"])


def stored(stage: Stage) -> set[datetime]:
    """The minutes of AAPL that the store has bars of."""
    with reading(stage.engine) as session:
        found = session.exec(select(PriceBar.start).where(PriceBar.symbol == "AAPL", PriceBar.timeframe == "1m"))
        return set(found)


def test_a_stop_crossed_while_the_stream_is_away_still_sells(stage: Stage) -> None:
    account_id = stage.add_account(1)
    stage.add_rule(account_id, RULE)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    wait_until("the entry filled", lambda: [o.status for o in stage.orders(account_id)] == ["FILLED"])
    wait_until("by the stream", lambda: stage.heartbeat(account_id).feed_source == "stream")  # type: ignore[union-attr]

    stage.admin("POST", "/faults", json={"match": {"tr": "Approval"}, "action": "status", "count": 0})
    stage.admin("POST", "/faults", json={"match": {"channel": "ws"}, "action": "kick", "args": {"abrupt": True}})
    wait_until("the stream is gone", lambda: stage.heartbeat(account_id).feed_source == "rest")  # type: ignore[union-attr]
    gone_at = market_now(stage)
    wait_until("ten minutes of the market pass", lambda: market_now(stage) - gone_at > AWAY)
    assert len(stage.orders(account_id)) == 1, "nothing happened that would call for an exit"
    stage.admin("POST", "/tape", json={"symbol": "AAPL", "jump": -5})
    wait_until("the stop sold", lambda: sum(f.qty for f in stage.fills(account_id)) == 4)
    sold = stage.orders(account_id)[-1]
    assert (sold.side, sold.reason) == ("SELL", "stop_loss")
    assert stage.heartbeat(account_id).feed_source == "rest"  # type: ignore[union-attr]
    assert "FEED_SILENT" in stage.alerts(account_id)

    stage.admin("DELETE", "/faults")
    wait_until("the stream is back", lambda: stage.heartbeat(account_id).feed_source == "stream")  # type: ignore[union-attr]
    back_at = market_now(stage)
    minutes = {gone_at.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(int(AWAY.seconds / 60))}
    wait_until("the minutes that were missed are in the store", lambda: minutes <= stored(stage))
    assert max(minutes) < back_at
    assert bot.terminate() == 0


def test_a_broker_that_trades_on_a_day_our_calendar_has_closed_stops_entries_and_says_both(tmp_path: Any) -> None:
    opened = open_stage(tmp_path, options=("--tape", TAPE))
    try:
        overrides = opened.settings.home / "calendar_overrides.csv"
        overrides.write_text("name,date,kind,value\nUS,2026-03-10,closed,\n")  # the tape's day
        account_id = opened.add_account(1)
        bot = opened.start_bot(account_id)
        opened.wait_ready(bot)
        wait_until("the alert", lambda: "CALENDAR_DISAGREES" in opened.alerts(account_id))
        with reading(opened.engine) as session:
            alert = session.exec(select(Alert).where(Alert.kind == "CALENDAR_DISAGREES")).one()
            run = session.exec(select(JobRun).where(JobRun.job == "open_day")).one()
        assert (alert.params["ours"], alert.params["theirs"]) == ("휴장일", "개장일")
        assert "2026-03-10" in run.note and run.outcome == "ok"
        assert bot.terminate() == 0
    finally:
        opened.close()
