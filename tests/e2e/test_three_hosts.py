"""Three machines on one PostgreSQL: one dies, one loses the store, one freezes; all come back. Nothing is ordered twice.

`pytest -m soak tests/e2e/test_three_hosts.py -s`, as root (each host has a network namespace), about ten minutes.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlmodel import col, select

from shared.config import EXCHANGE_PORTS
from shared.db import reading
from shared.models import Heartbeat, Lease
from tests.bots.stage import Stage, open_stage
from tests.e2e import namespace
from tests.e2e.desk import Desk, wait_until
from tests.e2e.namespace import Namespace
from tests.e2e.test_two_hosts import RULE, TTL, Host, check_nothing_twice, only_fleet

pytestmark = [
    pytest.mark.soak, pytest.mark.e2e, pytest.mark.postgres, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(1800),
    pytest.mark.skipif(not namespace.possible(), reason="network namespaces need root"),
]  # fmt: skip
FREE = 3  # accounts of no group
PATIENCE_S = 240.0


@dataclass
class Machine(Host):
    """A host in a namespace of its own."""

    around: Namespace | None = None

    def start(self) -> None:
        assert self.around is not None
        words = [str(self.desk.folder / ".venv" / "bin" / "supervisord"), "-n", "-c", "supervisord.conf"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.around.within(*words), cwd=self.desk.folder, env=self.desk.env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def name(self) -> str:
        return (self.desk.folder / "var" / "host-id").read_text(encoding="utf-8")


@pytest.fixture
def stage(tmp_path: Path, postgres_url: str) -> Iterator[Stage]:
    opened = open_stage(tmp_path, postgres_url, bots_url=postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def machines(new_desk: Callable[..., Desk], stage: Stage, postgres_url: str) -> Iterator[list[Machine]]:
    folder = Path(tempfile.mkdtemp(prefix="w"))
    offset = stage.settings.exchange_port_offset
    made: list[Machine] = []
    for number, group in enumerate(("", "", "busan")):
        around = Namespace(f"lt{stage.settings.exchange_port_offset}{number}", folder / str(number))
        around.folder.mkdir()
        around.make()
        around.wire("store", urlsplit(postgres_url).port or 5432)
        around.wire("exchange", *(port + offset for port in EXCHANGE_PORTS.values()))
        desk = new_desk(postgres_url, LETSTRADE_EXCHANGE_PORT_OFFSET=str(offset), LETSTRADE_HOST_GROUP=group)
        only_fleet(desk.folder)
        for name in ("run", "log"):
            (desk.folder / "var" / name).mkdir(parents=True)
        shutil.copytree(stage.settings.home / "secrets", desk.folder / "var" / "secrets")
        made.append(Machine(desk, stage.folder / f"host-{number}.log", around=around))
    yield made
    for machine in made:
        machine.die()
        assert machine.around is not None
        machine.around.close()
    shutil.rmtree(folder, ignore_errors=True)


def holders(stage: Stage) -> dict[int, str]:
    """Account → id of the host that holds its lease."""
    with reading(stage.engine) as session:
        rows = session.exec(select(Lease).where(col(Lease.name).startswith("account:")))
        return {int(row.name[8:]): row.holder.rsplit(":", 1)[0].rsplit("/", 1)[-1] for row in rows}


def acting(stage: Stage, accounts: list[int], but: str = "") -> bool:
    """All of them are READY, by a bot that holds the lease, on another host than `but`."""
    with reading(stage.engine) as session:
        for account in accounts:
            beat, lease = session.get(Heartbeat, account), session.get(Lease, f"account:{account}")
            if beat is None or lease is None or beat.state != "READY" or not lease.holder.endswith(f":{beat.pid}"):
                return False
            if but and lease.holder.rsplit(":", 1)[0].endswith(f"/{but}"):
                return False
    return True


def handed_over(stage: Stage, lost: Machine, since: float, what: str) -> None:
    """Wait until every account of `lost` that may move acts elsewhere; print how long it took."""
    theirs = [account for account, host in holders(stage).items() if host == lost.name and account <= FREE]
    assert theirs, "nothing to hand over"
    wait_until(f"{what}: accounts {theirs} act elsewhere", lambda: acting(stage, theirs, lost.name), PATIENCE_S, 0.5)
    print(
        f"{what}: {len(theirs)} accounts READY elsewhere after {time.monotonic() - since:.1f} s (TTL {TTL} s)",
        flush=True,
    )


def trades_on(stage: Stage) -> None:
    before = {account: len(stage.ledger(account, "ORDER")) for account in range(1, FREE + 1)}
    for account, orders in before.items():
        wait_until(
            f"account {account} trades on", lambda a=account, n=orders: len(stage.ledger(a, "ORDER")) > n, PATIENCE_S
        )  # type: ignore[misc]


def test_accounts_move_among_three_hosts_and_nothing_is_ordered_twice(stage: Stage, machines: list[Machine]) -> None:
    first, second, third = machines
    accounts = [stage.add_account(number, failover="auto") for number in range(1, FREE + 1)]
    in_busan = stage.add_account(FREE + 1, failover="auto", host_group="busan")
    for account in (*accounts, in_busan):
        stage.add_rule(account, RULE, max_position=100)
    first.start()
    wait_until("the first host acts for every free account", lambda: acting(stage, accounts), PATIENCE_S)
    assert in_busan not in holders(stage)
    second.start()
    third.start()
    wait_until("the account of busan acts there", lambda: acting(stage, [in_busan]), PATIENCE_S)
    assert holders(stage) == {**dict.fromkeys(accounts, first.name), in_busan: third.name}
    trades_on(stage)

    since = time.monotonic()
    first.die()
    handed_over(stage, first, since, "killed")
    trades_on(stage)
    taken = holders(stage)
    first.start()  # back, and takes nothing from those who act
    wait_until("its fleet is back", lambda: first.desk.program("fleet")[0] == "RUNNING")
    time.sleep(TTL)
    assert holders(stage) == taken

    lost = next(machine for machine in machines if machine.name in {taken[account] for account in accounts})
    assert lost.around is not None
    since = time.monotonic()
    lost.around.hold("store")
    handed_over(stage, lost, since, "cut off from the store")
    trades_on(stage)
    lost.around.let_go("store")
    wait_until("its old bots ended", lambda: _bots(lost) <= _held(stage, lost), PATIENCE_S)

    taken = holders(stage)
    lost = next(machine for machine in machines if machine.name in {taken[account] for account in accounts})
    since = time.monotonic()
    lost.signal(signal.SIGSTOP)
    handed_over(stage, lost, since, "frozen")
    lost.signal(signal.SIGCONT)
    wait_until("its old bots ended", lambda: _bots(lost) <= _held(stage, lost), PATIENCE_S)
    trades_on(stage)
    if third.name == lost.name:
        wait_until("busan acts again at home", lambda: acting(stage, [in_busan]), PATIENCE_S)
    assert holders(stage)[in_busan] == third.name

    for machine in machines:
        machine.die()
    time.sleep(TTL + 2)
    for account in (*accounts, in_busan):  # settle what is open: nothing may stay unresolved
        bot = stage.start_bot(account)
        wait_until("the last bot is READY", lambda a=account: acting(stage, [a]), PATIENCE_S)  # type: ignore[misc]
        found = judged(stage, account)
        print(f"account {account}: {found} orders at the exchange, none twice", flush=True)
        bot.terminate()


def judged(stage: Stage, account: int) -> int:
    """The referee; what he objects to is told with everything that the exchange and the store say of it."""
    try:
        return check_nothing_twice(stage, account)
    except AssertionError:
        rows = {str(row.broker_order_id).lstrip("0"): row for row in stage.orders(account) if row.broker_order_id}
        truth = {str(event["order_id"]).lstrip("0") for event in stage.ledger(account, "ORDER")}
        everything = stage.admin("GET", "/ledger?after=0")["events"]
        for number in sorted(rows.keys() ^ truth):
            print(number, rows.get(number))
            for event in everything:
                if number in (str(event["order_id"]).lstrip("0"), str(event["orig_order_id"]).lstrip("0")):
                    print("   ", event)
        raise


def _bots(machine: Machine) -> set[int]:
    """Accounts whose bot runs there."""
    lines = machine.desk.supervisorctl("status").splitlines()
    alive = [line.split() for line in lines if line.startswith("bot-")]
    return {int(words[0].split(":")[0][4:]) for words in alive if words[1] in {"RUNNING", "STARTING"}}


def _held(stage: Stage, machine: Machine) -> set[int]:
    return {account for account, host in holders(stage).items() if host == machine.name}
