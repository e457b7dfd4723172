"""What lies between the processes fails: wires, the exchange's own life, the disk, a locked store. The referee judges."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.config import EXCHANGE_PORTS
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage, wait_until
from tests.chaos.arena import US, Player, enter, referee
from tests.chaos.proxy import Wire
from tests.chaos.record import record
from tests.ports import take_offset

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("chaos")]

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
execution: {order_type: LIMIT, offset_ticks: 3, cooldown_sec: 600}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("wires"))
    yield opened
    opened.close()


@pytest.fixture
def wires(stage: Stage) -> Iterator[list[Wire]]:
    """Every port of the exchange behind a wire of its own; bots of this test go through them."""
    offset, own = take_offset(), stage.settings.exchange_port_offset
    opened = [Wire(("127.0.0.1", port + own), port + offset) for port in EXCHANGE_PORTS.values()]
    stage.bots_offset = offset
    yield opened
    stage.bots_offset = None
    for one in opened:
        one.close()


def verdict_is_clean(stage: Stage, player: Player) -> None:
    verdict = referee(stage, [player])
    assert not verdict["wrong"]


@pytest.mark.soak
def test_a_half_open_wire_loses_and_doubles_nothing(stage: Stage, wires: list[Wire]) -> None:
    player = enter(stage, US, 51)
    player.start()
    player.fault("delay", US.buy_tr, seconds=3, accept=True)
    command = player.order("BUY")
    wait_until("the order arrived", lambda: player.ledger("ORDER"))
    for one in wires:
        one.mode = "hold answers"
    assert player.done(command).status == "UNKNOWN"
    for one in wires:
        one.mode = "pass"
        one.cut()
    player.settle("half-open")
    assert len(player.ledger("ORDER")) == 1
    player.stop()
    verdict_is_clean(stage, player)


@pytest.mark.soak
def test_a_slow_wire_that_is_reset_again_and_again_is_survived(stage: Stage, wires: list[Wire]) -> None:
    player = enter(stage, US, 52)
    player.start()
    for count in range(4):
        for one in wires:
            one.delay_s = 0.1
            one.reset()
        player.done(player.order("BUY", 1))
        assert len(player.orders()) <= count + 1
    for one in wires:
        one.delay_s = 0.0
    player.settle("reset")
    player.stop()
    verdict_is_clean(stage, player)


@pytest.mark.soak
def test_a_silent_stream_stops_entries_in_time_and_exits_go_on(stage: Stage) -> None:
    """The exchange stands still: entries are refused by name within 15 s; when it goes on, so does the bot."""
    player = enter(stage, US, 53)
    player.start()
    player.hold(2)
    wait_until("the stream is trusted", lambda: from_stream(stage, player))
    assert stage.exchange is not None
    stopped = time.monotonic()
    stage.exchange.send_signal(signal.SIGSTOP)
    try:
        wait_until("the stream is not trusted", lambda: from_stream(stage, player) is False)
        record("stall to blocked s", time.monotonic() - stopped)
        wait_until("a person's price is too old as well", lambda: age_s(stage, player) > 16)
        refused = player.done(player.order("BUY", 1))
    finally:
        stage.exchange.send_signal(signal.SIGCONT)
    assert refused.result is not None
    assert refused.result["error"]["code"] in ("stale_data", "bot_state", "fallback_data", "broker_unavailable")
    wait_until("it sells again", lambda: sold(player))
    player.settle("stall")
    player.stop()
    verdict_is_clean(stage, player)


def from_stream(stage: Stage, player: Player) -> bool:
    """Whether the bot trusts its stream: rules enter on nothing else."""
    beat = stage.heartbeat(player.account_id)
    return beat is not None and beat.feed_source != "rest" and beat.state == "READY"


def age_s(stage: Stage, player: Player) -> float:
    beat = stage.heartbeat(player.account_id)
    return 0.0 if beat is None or beat.feed_at is None else (stage.clock.wall_now() - beat.feed_at).total_seconds()


def sold(player: Player) -> bool:
    """Close the position as a person does, again until it is gone."""
    player.done(player.ask(CommandKind.CLOSE_POSITION, symbol=player.flavour.symbol))
    return any(order.side == "SELL" for order in player.orders())


@pytest.mark.soak
def test_a_bot_that_was_frozen_goes_on_without_doubling(stage: Stage) -> None:
    player = enter(stage, US, 54)
    bot = player.start()
    player.order("BUY")
    os.kill(bot.process.pid, signal.SIGSTOP)
    time.sleep(3)  # what is frozen is the process under test: there is nothing to poll
    os.kill(bot.process.pid, signal.SIGCONT)
    wait_until("the order is there", lambda: player.orders())
    player.settle("frozen")
    assert len(player.ledger("ORDER")) == 1
    player.stop()
    verdict_is_clean(stage, player)


def test_a_full_disk_sends_nothing_and_says_so(stage: Stage) -> None:
    player = enter(stage, US, 55)
    bot = player.start()
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
    command = player.order("BUY")
    assert bot.process.wait(40) not in (0, 78)
    assert player.ledger("ORDER") == []
    player.restart()
    player.done(command)  # the bot never got to claim it, or says what became of it
    player.settle("full disk")
    player.stop()
    verdict_is_clean(stage, player)


def stopped_out(stage: Stage, player: Player) -> bool:
    return [event["side"] for event in player.ledger("FILL")] == ["BUY", "SELL"]


def held_by_rule(stage: Stage, number: int) -> Player:
    player = enter(stage, US, number)
    stage.add_rule(player.account_id, RULE, max_position=2)
    player.start()
    wait_until("the entry filled", lambda: player.bought() == 2)
    return player


def test_a_locked_store_does_not_hold_up_an_exit(stage: Stage) -> None:
    player = held_by_rule(stage, 56)
    with sqlite3.connect(stage.settings.database_url.removeprefix("sqlite:///"), isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        stage.admin("POST", "/tape", json={"symbol": "AAPL", "jump": -5})
        wait_until("the stop went out while the store was locked", lambda: stopped_out(stage, player))
        lock.execute("ROLLBACK")
    player.settle("locked")
    player.stop()
    verdict_is_clean(stage, player)


@pytest.mark.postgres
@pytest.mark.soak
def test_a_locked_postgres_does_not_hold_up_an_exit(tmp_path: Path, postgres_url: str) -> None:
    stage = open_stage(tmp_path, postgres_url)
    try:
        player = held_by_rule(stage, 57)
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as lock:
            lock.execute("LOCK TABLE heartbeats, orders, fills, alerts IN ACCESS EXCLUSIVE MODE")
            stage.admin("POST", "/tape", json={"symbol": "AAPL", "jump": -5})
            wait_until("the stop went out while the store was locked", lambda: stopped_out(stage, player))
            lock.rollback()
        player.settle("locked")
        player.stop()
        verdict_is_clean(stage, player)
    finally:
        stage.close()
