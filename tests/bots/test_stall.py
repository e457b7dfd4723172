"""A bot that stood still (SIGSTOP) says so, enters nothing on old prices, and goes on by itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots.stage import Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

STOOD_S = 6.5


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    opened = open_stage(tmp_path)
    yield opened
    opened.close()


def test_a_stall_is_told_and_stops_entries_for_a_while(stage: Stage) -> None:
    account_id = stage.add_account(1)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    assert stage.outcome(stage.buy(account_id, "before", quantity=1)).status == "DONE"
    bot.process.send_signal(signal.SIGSTOP)
    asked = stage.buy(account_id, "meanwhile", quantity=1)
    time.sleep(STOOD_S)  # the stall itself
    woken = time.monotonic()
    bot.process.send_signal(signal.SIGCONT)
    outcome = stage.outcome(asked)
    assert (outcome.status, (outcome.result or {})["error"]["code"]) == ("FAILED", "frozen")
    wait_until("it is told", lambda: "LOOP_STALLED" in stage.alerts(account_id))
    print(f"stall of {STOOD_S} s: told {time.monotonic() - woken:.2f} s after it ended; 0 entries left meanwhile")
    assert len(stage.ledger(1, "ORDER")) == 1
    turns = iter(range(1000))
    wait_until(
        "entries go again",
        lambda: stage.outcome(stage.buy(account_id, f"after{next(turns)}", quantity=1)).status == "DONE",
    )
    print(f"entries again {time.monotonic() - woken:.1f} s after it ended")
