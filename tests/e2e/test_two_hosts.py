"""Two hosts on one PostgreSQL: one dies, is cut off or freezes; its account moves, and nothing is ordered twice."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlmodel import select

from bots.lease import TTL_S
from shared.db import reading
from shared.models import Lease, OrderRow
from tests.bots.stage import Stage, open_stage
from tests.bots.test_start_without_store import Cable
from tests.chaos.record import record
from tests.e2e.desk import Desk, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.postgres, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(420)]

# The rule under test stays, the waiting for it does not; LETSTRADE_TEST_TTL=30 runs the product's own figures.
TTL = int(os.environ.get("LETSTRADE_TEST_TTL", "10"))
RULE = """
version: "1.0"
metadata: {name: "분마다 사고팔기"}
strategy:
  id: always
  timeframe: 1m
  evaluate: tick
  entry: {logic: AND, conditions: [{indicator: close, operator: greater_than, value: 1}]}
  exit: {logic: AND, conditions: [{indicator: close, operator: greater_than, value: 1}]}
risk: {stop_loss: {enabled: true, percent: 50}}
sizing: {mode: shares, value: 1}
execution: {order_type: LIMIT, offset_ticks: 3, cooldown_sec: 1}
universe: ["AAPL", "MSFT", "NVDA", "TSLA", "SPY"]
"""
SENT = "SELECT sent_at FROM orders WHERE sent_at IS NOT NULL AND status != 'DENIED'"
KEPT_PROGRAMS = ("unix_http_server", "supervisord", "rpcinterface", "supervisorctl", "program:fleet", "include")


@dataclass
class Host:
    """A home, a checkout and a supervisord of its own; the exchange and the store are elsewhere."""

    desk: Desk
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.desk.folder / ".venv" / "bin" / "supervisord"), "-n", "-c", "supervisord.conf"],
                cwd=self.desk.folder, env=self.desk.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def everything(self) -> list[int]:
        """All its processes, supervisord last."""
        assert self.process is not None
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [*map(int, found.stdout.split()), self.process.pid]

    def signal(self, what: signal.Signals) -> None:
        for pid in self.everything():
            os.kill(pid, what)

    def die(self) -> None:
        """The power goes."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGSTOP)  # or supervisord would say goodbye to its children
            self.signal(signal.SIGKILL)
            self.process.wait(120)

    def bot_log(self, account_id: int) -> str:
        path = self.desk.folder / "var" / "log" / f"bot-{account_id}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def only_fleet(folder: Path) -> None:
    """Leave of supervisord.conf what keeps bots; shorten the lease in this checkout's own copy."""
    path = folder / "supervisord.conf"
    parts = re.split(r"(?m)^(?=\[)", path.read_text(encoding="utf-8"))
    path.write_text("".join(one for one in parts if one.startswith(tuple(f"[{name}" for name in KEPT_PROGRAMS))))
    lease = folder / "bots" / "lease.py"
    text = lease.read_text(encoding="utf-8")
    lines = (f"TTL_S = {TTL_S}", "SEND_MARGIN_S = 15.0")
    assert all(text.count(line) == 1 for line in lines)
    text = text.replace(lines[0], f"TTL_S = {TTL}").replace(lines[1], f"SEND_MARGIN_S = {TTL / 2}")
    lease.write_text(text, encoding="utf-8")


@pytest.fixture
def cable(postgres_url: str) -> Iterator[Cable]:
    made = Cable(postgres_url)
    yield made
    made.pull()


@pytest.fixture
def stage(tmp_path: Path, postgres_url: str) -> Iterator[Stage]:
    opened = open_stage(tmp_path, postgres_url, bots_url=postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def hosts(new_desk: Callable[..., Desk], stage: Stage, postgres_url: str, cable: Cable) -> Iterator[tuple[Host, Host]]:
    address = urlsplit(postgres_url)
    name, _, _ = address.netloc.rpartition("@")
    through = address._replace(netloc=f"{name}@127.0.0.1:{cable.port}", query="").geturl()
    made = []
    for url in (through, postgres_url):
        desk = new_desk(url, LETSTRADE_EXCHANGE_PORT_OFFSET=str(stage.settings.exchange_port_offset))
        only_fleet(desk.folder)
        (desk.folder / "var" / "run").mkdir(parents=True)
        (desk.folder / "var" / "log").mkdir(parents=True)
        shutil.copytree(stage.settings.home / "secrets", desk.folder / "var" / "secrets")
        made.append(Host(desk, stage.folder / f"host-{len(made)}.log"))
    yield made[0], made[1]
    for host in made:
        host.die()


def lease(stage: Stage, account_id: int) -> Lease:
    with reading(stage.engine) as session:
        return session.get_one(Lease, f"account:{account_id}")


def acts(stage: Stage, account_id: int, host: Host) -> int:
    """The pid of the READY bot of `host`, else 0."""
    beat = stage.heartbeat(account_id)
    pid = host.desk.program(f"bot-{account_id}")[1]
    return pid if beat is not None and beat.state == "READY" and beat.pid == pid else 0


def moved(stage: Stage, account_id: int, to: Host, since: float, what: str) -> None:
    """Wait for the move; print how long it took."""
    pid = wait_until("the account moved", lambda: acts(stage, account_id, to), TTL + 60)
    ready_s = time.monotonic() - since
    row = lease(stage, account_id)
    assert row.holder.endswith(f":{pid}")
    taken_s = ready_s - (stage.clock.wall_now() - row.acquired_at).total_seconds()
    record("account moved s", taken_s)
    record("account READY elsewhere s", ready_s)
    print(f"{what}: lease taken after {taken_s:.1f} s, READY after {ready_s:.1f} s (TTL {TTL} s)")


def sent_by(host: Host, account_id: int) -> list[datetime]:
    """When the (ended) bots of this host sent orders, by the journals that lie there."""
    folder = host.desk.folder / "var" / "accounts" / str(account_id)
    rows = [row for path in folder.glob("journal*.db") for row in host.desk.journal_rows_at(path, SENT)]
    return [datetime.fromisoformat(row["sent_at"]) for row in rows]


def check_nothing_twice(stage: Stage, account_id: int) -> int:
    """Every order at the exchange is one order of ours, every signal became one order; returns how many."""
    wait_until("all orders have ended", lambda: stage.settled(account_id))
    with reading(stage.engine) as session:
        rows = list(session.exec(select(OrderRow).where(OrderRow.account_id == account_id)))
    became = {
        event["order_id"].lstrip("0"): event["orig_order_id"].lstrip("0") for event in stage.ledger(account_id, "AMEND")
    }
    numbers: Counter[str] = Counter()
    for number in (str(row.broker_order_id).lstrip("0") for row in rows if row.broker_order_id):
        while number in became:  # each change of an order gives it a new number
            number = became[number]
        numbers[number] += 1
    truth = Counter(str(event["order_id"]).lstrip("0") for event in stage.ledger(account_id, "ORDER"))
    assert numbers == truth
    signals = Counter((row.raw or {}).get("signal") for row in rows if row.broker_order_id)
    assert max(signals.values()) == 1, signals.most_common(3)
    return len(truth)


def test_an_account_moves_when_its_host_dies_is_cut_off_or_freezes(
    stage: Stage, hosts: tuple[Host, Host], cable: Cable
) -> None:
    first, second = hosts
    account_id = stage.add_account(1, failover="auto")
    stage.add_rule(account_id, RULE, max_position=100)
    first.start()
    wait_until("the first host acts", lambda: acts(stage, account_id, first))
    wait_until("it has traded", lambda: len(stage.ledger(1, "FILL")) >= 2)
    second.start()
    wait_until("both fleets are there", lambda: len(first.desk.rows("SELECT name FROM hosts")) == 2)
    assert second.desk.program(f"bot-{account_id}")[0] == "ABSENT"

    # frozen: it wakes up to find the account in other hands, and sends nothing more
    frozen_at = stage.clock.wall_now()
    first.signal(signal.SIGSTOP)
    moved(stage, account_id, second, time.monotonic(), "frozen")
    before = len(stage.ledger(1, "ORDER"))
    first.signal(signal.SIGCONT)
    wait_until("the old bot ended by itself", lambda: first.desk.program(f"bot-{account_id}")[0] == "ABSENT")
    assert "다른 봇이 계좌를 넘겨받음" in first.bot_log(account_id)
    assert all(at <= frozen_at for at in sent_by(first, account_id))
    wait_until("the new host trades on", lambda: len(stage.ledger(1, "ORDER")) > before)
    assert not [
        one for one in first.desk.rows("SELECT * FROM alerts") if one["kind"] in {"DRIFT", "BOT_PARKED", "BOT_FATAL"}
    ]

    # dead: the account comes back to the first host, whose old journal is put aside
    second.die()
    moved(stage, account_id, first, time.monotonic(), "killed")
    assert list((first.desk.folder / "var" / "accounts" / str(account_id)).glob("journal-*.db"))
    before = len(stage.ledger(1, "ORDER"))
    wait_until("it trades on", lambda: len(stage.ledger(1, "ORDER")) > before)

    # cut off from the store: it stops by itself before the other may begin
    second.start()
    wait_until("the second fleet is back", lambda: second.desk.program("fleet")[0] == "RUNNING")
    cut_at, since = stage.clock.wall_now(), time.monotonic()
    cable.pull()
    moved(stage, account_id, second, since, "cut off")
    cable.plug()
    wait_until("the old bot ended by itself", lambda: first.desk.program(f"bot-{account_id}")[0] == "ABSENT")
    late = [(at - cut_at).total_seconds() for at in sent_by(first, account_id)]
    assert max(late) <= TTL / 2 + 1, late
    second.die()
    first.die()
    row = lease(stage, account_id)
    wait_until("the lease runs out", lambda: stage.clock.wall_now() > row.renewed_at + timedelta(seconds=row.ttl_s))
    third = stage.start_bot(account_id)  # settles what is open: nothing may stay unresolved
    stage.wait_ready(third)
    print(f"orders at the exchange: {check_nothing_twice(stage, account_id)}, none twice")
