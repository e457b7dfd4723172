"""PostgreSQL is frozen, throws everybody out and cannot be reached, while a bot trades: afterwards it has every row once."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.bots.stage import open_stage, wait_until
from tests.chaos.arena import US, Player, enter, referee
from tests.chaos.proxy import Wire
from tests.chaos.record import record

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.postgres, pytest.mark.xdist_group("e2e")]

RULE = """
version: "1.0"
metadata: {name: "항상 매수, 손절 2%"}
strategy:
  id: always
  timeframe: 1m
  evaluate: tick
  entry: {logic: AND, conditions: [{indicator: close, operator: greater_than, value: 1}]}
  exit: {logic: AND, conditions: [{indicator: close, operator: less_than, value: 1}]}
risk: {stop_loss: {enabled: true, percent: 2}}
sizing: {mode: shares, value: 2}
execution: {order_type: LIMIT, offset_ticks: 3, cooldown_sec: 0}
"""


def sales(player: Player) -> int:
    return sum(event["side"] == "SELL" for event in player.ledger("FILL"))


def crash(player: Player) -> None:
    """The price falls; whoever holds is stopped out, store or no store."""
    before = sales(player)
    player.stage.admin("POST", "/tape", json={"symbol": player.flavour.symbol, "jump": -5})
    wait_until("the stop went out", lambda: sales(player) > before)


def test_every_row_is_there_once_after_postgres_was_away_in_every_way(tmp_path: Path, postgres_url: str) -> None:
    direct = postgres_url.replace("+psycopg", "")
    with psycopg.connect(direct) as known:
        host, port = known.info.host, known.info.port
    wire = Wire((host, port))
    through = postgres_url.replace(f":{port}/", f":{wire.port}/")
    assert through != postgres_url
    stage = open_stage(tmp_path, postgres_url, bots_url=through)
    try:
        player = enter(stage, US, 61)
        stage.add_rule(player.account_id, RULE, max_position=2)
        player.start()
        wait_until("the entry filled", lambda: player.bought() >= 2)
        wire.mode = "hold"  # frozen: connections live, nothing answers
        crash(player)
        wire.mode = "pass"
        wire.reset()
        wait_until("it entered again", lambda: player.bought() >= 4)
        with psycopg.connect(direct, autocommit=True) as killer:
            crash(player)
            for _ in range(5):
                killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        stage.engine.dispose()  # ours was thrown out as well
        wait_until("it entered a third time", lambda: player.bought() >= 6)
        wire.shut()  # stopped: nobody listens
        crash(player)
        wire.open()
        player.settle("outage", 120)
        player.stop()
        verdict = referee(stage, [player])
        assert not verdict["wrong"]
        rows = verdict["looked"]["I12"] + verdict["looked"]["I2"]
        record("outage rows", rows)
        record("outage rows wrong", len(verdict["wrong"]))
        assert sales(player) >= 3
    finally:
        stage.close()
        wire.close()
