"""A bot that starts while its PostgreSQL cannot be reached gets a position out, and tells everything when it is back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import select

from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.models import DecisionRow, ExecutionLog, Lease
from shared.store import kill
from tests.bots.stage import Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.xdist_group("e2e")]

RULE = """
version: "1.0"
metadata: {{name: "항상 매수, 손절 2%"}}
strategy:
  id: always
  timeframe: 1m
  evaluate: tick
  entry: {{logic: AND, conditions: [{{indicator: close, operator: greater_than, value: {above}}}]}}
  exit: {{logic: AND, conditions: [{{indicator: close, operator: less_than, value: 1}}]}}
risk: {{stop_loss: {{enabled: true, percent: 2}}}}
sizing: {{mode: shares, value: 2}}
execution: {{order_type: LIMIT, offset_ticks: 3, cooldown_sec: 1}}
universe: ["{symbol}"]
"""


class Cable:
    """The wire between a bot and its PostgreSQL: it can be pulled, and put back."""

    def __init__(self, url: str) -> None:
        """`url` is the server's: by port, or by the folder of its unix socket."""
        address = urlsplit(url)
        folder = parse_qs(address.query).get("host", [""])[0]
        port = address.port or 5432
        self._family = socket.AF_UNIX if folder else socket.AF_INET
        self._target = f"{folder}/.s.PGSQL.{port}" if folder else (address.hostname or "127.0.0.1", port)
        self._lines: list[socket.socket] = []
        self._door: socket.socket | None = None
        self.port = 0
        self.plug()

    def plug(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def pull(self) -> None:
        assert self._door is not None
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for line in self._lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its other end was first
        self._lines.clear()

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            far = socket.socket(self._family)
            far.connect(self._target)
            self._lines += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        sink.close()


@pytest.fixture
def cable(postgres_url: str) -> Iterator[Cable]:
    made = Cable(postgres_url)
    yield made
    made.pull()


@pytest.fixture
def stage(tmp_path: Path, postgres_url: str, cable: Cable) -> Iterator[Stage]:
    address = urlsplit(postgres_url)
    name, _, _ = address.netloc.rpartition("@")
    through = address._replace(netloc=f"{name}@127.0.0.1:{cable.port}", query="").geturl()
    opened = open_stage(tmp_path, postgres_url, bots_url=through)
    yield opened
    opened.close()


def ours(stage: Stage, number: int) -> list[tuple[str, int]]:
    return [(event["side"], int(event["quantity"])) for event in stage.ledger(number, "FILL")]


def bought(stage: Stage, account_id: int) -> None:
    """The bot holds two shares by its rule, and its copy knows it."""
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    wait_until("the entry filled", lambda: [o.status for o in stage.orders(account_id)] == ["FILLED"])
    bot.kill()


def test_a_stop_is_hit_while_the_store_is_away_from_the_start(stage: Stage, cable: Cable) -> None:
    account_id = stage.add_account(1)
    stage.add_rule(account_id, RULE.format(above=1, symbol="AAPL"), max_position=2)
    stage.add_rule(account_id, RULE.format(above=4000, symbol="MSFT"), max_position=2)
    bought(stage, account_id)
    copy = (stage.settings.account_dir(account_id) / "standby.db").read_bytes()
    for secret in ("PSKEY00000001", "secret00000001", "20000001-01"):
        assert secret.encode() not in copy

    cable.pull()
    bot = stage.start_bot(account_id)
    wait_until("it starts from its copy", lambda: "사본으로 시작" in bot.log.read_text())
    stage.admin("POST", "/tape", json={"symbol": "AAPL", "jump": -5})
    wait_until("the stop went out", lambda: ours(stage, 1) == [("BUY", 2), ("SELL", 2)])
    assert bot.process.poll() is None
    # The other rule wants to buy now: nothing enters on a copy.
    stage.admin("POST", "/tape", json={"symbol": "MSFT", "price": 5000})
    flat_at = market_now(stage)
    wait_until("some ticks", lambda: market_now(stage) - flat_at > timedelta(seconds=5))
    assert len(stage.orders(account_id)) == 1  # the store knows nothing of the sale yet
    assert len(stage.ledger(1, "ORDER")) == 2

    with writing(stage.engine) as session:  # meanwhile somebody raised the switch: entries stay out afterwards too
        now = stage.clock.wall_now()
        kill.set_level(session, now, account_id=account_id, level=KillLevel.NO_NEW, reason="test", by="test")
    cable.plug()
    wait_until("the sale arrived", lambda: [o.status for o in stage.orders(account_id)] == ["FILLED", "FILLED"])
    assert sum(fill.qty for fill in stage.fills(account_id)) == 4
    stage.wait_ready(bot)
    wait_until("the switch is obeyed", lambda: stage.heartbeat(account_id).kill_level == KillLevel.NO_NEW)  # type: ignore[union-attr]
    assert "store_away" in decisions(stage, account_id)
    wait_until("the copy is told", lambda: any("사본으로 시작했음" in one for one in logs(stage, account_id)))
    assert "STORE_AWAY" in stage.alerts(account_id)
    with reading(stage.engine) as session:
        assert session.get_one(Lease, f"account:{account_id}").holder.endswith(f":{bot.process.pid}")
    assert bot.terminate() == 0
    assert len(stage.ledger(1, "ORDER")) == 2


def test_without_a_copy_or_with_failover_auto_it_waits_for_the_store(stage: Stage, cable: Cable) -> None:
    never_ran, shared = stage.add_account(2), stage.add_account(3, failover="auto")
    first = stage.start_bot(shared)
    stage.wait_ready(first)
    wait_until("its copy is kept", lambda: (stage.settings.account_dir(shared) / "standby.db").exists())
    assert first.terminate() == 0
    cable.pull()
    waiting = [stage.start_bot(account_id) for account_id in (never_ran, shared)]
    for bot in waiting:
        wait_until("it waits", lambda bot=bot: "저장소를 기다립니다" in bot.log.read_text())  # type: ignore[misc]
        assert "사본으로 시작" not in bot.log.read_text()
    cable.plug()
    for bot in waiting:
        stage.wait_ready(bot)
        assert bot.terminate() == 0


def market_now(stage: Stage) -> datetime:
    return datetime.fromisoformat(stage.admin("GET", "/clock")["market"])


def decisions(stage: Stage, account_id: int) -> list[str]:
    with reading(stage.engine) as session:
        return list(session.exec(select(DecisionRow.reason).where(DecisionRow.account_id == account_id)))


def logs(stage: Stage, account_id: int) -> list[str]:
    with reading(stage.engine) as session:
        return list(session.exec(select(ExecutionLog.message).where(ExecutionLog.account_id == account_id)))
