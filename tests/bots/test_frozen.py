"""A process that is frozen between its last gate and the socket write asks the gate again when it wakes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.bot_state import KillLevel
from shared.kill_files import raise_file
from tests.bots.stage import Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bot-stage")]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    opened = open_stage(tmp_path)
    yield opened
    opened.close()


def test_what_was_stopped_while_the_process_was_frozen_never_leaves(stage: Stage) -> None:
    account_id = stage.add_account(1)
    bot = stage.start_bot(account_id, freeze="after_gate")
    stage.wait_ready(bot)
    command = stage.buy(account_id, "first")
    wait_until("the bot stands still behind its gate", lambda: bot.is_stopped)
    raise_file(stage.settings.home / "kill", KillLevel.HALT, "test")
    os.kill(bot.process.pid, signal.SIGCONT)
    told = stage.outcome(command)
    assert told.result is not None and told.result["status"] == "DENIED", told.result
    assert stage.ledger(1, "ORDER") == []
    assert [order.status for order in stage.orders(account_id)] == ["DENIED"]
    assert bot.terminate() == 0
