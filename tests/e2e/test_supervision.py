"""Under a real supervisord: a bot that keeps dying is parked until a person acts, a key is tested without its bot."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from bots.watchdog import LOOP_EXITS
from console.services import accounts
from console.services.permissions import Actor
from console.wiring import wire
from shared.config import load_settings
from shared.models import Role
from tests.e2e.desk import Desk, wait_until
from tests.e2e.test_first_light import READY, ready

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(420)]

SHORT = "2"  # seconds a bot must live to count as started; ten in the product
ADMIN = Actor(None, Role.ADMIN, "cli", "test")


def shorten_startsecs(desk: Desk) -> None:
    """This desk's own copy of the programs: the rule under test stays, the waiting for it does not."""
    for name, line in (("supervision.py", "STARTSECS = 10"), ("__main__.py", "STARTSECS = 10.0")):
        path = desk.folder / "bots" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(line) == 1
        path.write_text(text.replace(line, f"STARTSECS = {SHORT}"), encoding="utf-8")


def health(desk: Desk, account_id: int) -> str:
    return str(
        desk.rows("SELECT health_status FROM brokerage_accounts WHERE id = :id", id=account_id)[0]["health_status"]
    )


def bot_status(desk: Desk, account_id: int) -> str:
    return str(desk.cli("bot", "status", str(account_id))["items"][0]["status"])


def ready_pid(desk: Desk, account_id: int) -> int:
    """The process that supervisord runs, once it is the one that says READY; else 0."""
    state, pid = desk.program(f"bot-{account_id}")
    rows = desk.rows(READY, id=account_id)
    told = [(row["state"], row["pid"]) for row in rows]
    return pid if state == "RUNNING" and told == [("READY", pid)] else 0


def fleet_looks(desk: Desk, times: int) -> None:
    """Wait until fleet has told what it sees `times` more times; it looks every second and tells every fifth."""
    for _ in range(times):
        before = desk.rows("SELECT seen_at FROM hosts")
        wait_until("fleet looks again", lambda before=before: desk.rows("SELECT seen_at FROM hosts") != before)  # type: ignore[misc]


def test_a_crash_loop_is_parked_until_a_person_acts(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    shorten_startsecs(desk)
    desk.setup()
    desk.start()
    # a bot is READY a second before supervisord calls it RUNNING: wait for both to say so of one process
    wait_until("both bots are ready", lambda: ready_pid(desk, 1) and ready_pid(desk, 2))
    beside = desk.program("bot-2")

    dead = 0
    for _ in range(LOOP_EXITS):

        def again(dead: int = dead) -> int:
            state, pid = desk.program("bot-1")
            return pid if state == "RUNNING" and pid != dead else 0

        dead = wait_until("bot-1 runs again", again)
        os.kill(dead, signal.SIGKILL)
    wait_until("the loop is parked", lambda: health(desk, 1) == "PARKED")
    assert desk.rows("SELECT kind, severity FROM alerts WHERE kind = 'BOT_PARKED' AND account_id = 1") == [
        {"kind": "BOT_PARKED", "severity": "critical"}
    ]
    fleet_looks(desk, 2)
    assert (desk.program("bot-1")[0], health(desk, 1), bot_status(desk, 1)) == ("STOPPED", "PARKED", "PARKED")
    assert not desk.rows("SELECT kind FROM alerts WHERE kind = 'BOT_HELD'")
    assert desk.program("bot-2") == beside

    desk.cli("bot", "start", "1")
    pid = wait_until("bot-1 is ready again", lambda: ready_pid(desk, 1))
    assert bot_status(desk, 1) == "READY"

    # `bot restart`: another process, reconciled and ready; the neighbour goes on
    desk.cli("bot", "restart", "1")
    assert wait_until("another process is ready", lambda: ready_pid(desk, 1)) != pid
    assert bot_status(desk, 1) == "READY"
    assert desk.program("bot-2") == beside

    desk.stop()


def test_the_key_of_an_account_that_is_switched_off_is_tested_at_once(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    desk.setup()
    desk.cli("account", "disable", "2")
    desk.start()
    assert desk.program("bot-2")[0] == "ABSENT"
    wiring = wire(load_settings({**desk.env, "LETSTRADE_HOME": str(desk.folder / "var")}))
    command = accounts.test_key(wiring, ADMIN, 2, key="after saving")
    told = wait_until(
        "the test is answered",
        lambda: desk.rows(
            "SELECT status, result FROM commands WHERE id = :id AND finished_at IS NOT NULL", id=command.id
        ),
    )
    assert told[0]["status"] == "DONE" and "KRW" in told[0]["result"]
    wiring.engine.dispose()
    desk.cli("account", "enable", "2")
    wait_until("bot-2 is ready", lambda: ready(desk, 2))
    desk.stop()
