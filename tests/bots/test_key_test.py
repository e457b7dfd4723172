"""A key test asked of an account whose bot does not run is answered by a process of its own, which never trades."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.config import ROOT
from shared.db import reading, writing
from shared.models import ApiCredential, BrokerToken, Command
from shared.store import accounts, heartbeats
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bot-stage")]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("keytest"))
    yield opened
    opened.close()


def test_key(stage: Stage, account_id: int) -> int:
    command = [sys.executable, "-m", "bots", "--account", str(account_id), "--test-key"]
    return subprocess.run(command, cwd=ROOT, env=stage.env, capture_output=True, timeout=240).returncode


test_key.__test__ = False  # type: ignore[attr-defined]


def status(stage: Stage, command_id: int) -> str:
    with reading(stage.engine) as session:
        return session.get_one(Command, command_id).status


def test_a_good_key_is_proven_its_token_kept_and_nothing_else_done(stage: Stage) -> None:
    account_id = stage.add_account(1, enabled=False)
    asked = stage.command(account_id, CommandKind.TEST_KEY, "a")
    order = stage.buy(account_id, "never")
    assert test_key(stage, account_id) == 0
    done = stage.outcome(asked)
    assert (done.status, done.result and done.result["currency"]) == ("DONE", "USD")
    assert status(stage, order) == "REQUESTED"  # for the bot, when it runs
    assert stage.ledger(1, "ORDER") == []
    with reading(stage.engine) as session:
        assert session.get(BrokerToken, 1) is not None
        lease = heartbeats.lease_of(session, f"account:{account_id}")
        assert lease is not None and lease.holder.endswith(":")  # given back


def test_a_refused_key_says_why(stage: Stage) -> None:
    account_id = stage.add_account(2, enabled=False)
    match = {"tr": "tokenP"}
    body = {"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey입니다."}
    stage.admin(
        "POST", "/faults", json={"match": match, "action": "status", "args": {"status": 403, "body": body}, "count": 0}
    )
    asked = stage.command(account_id, CommandKind.TEST_KEY, "a")
    assert test_key(stage, account_id) == 0
    stage.admin("DELETE", "/faults")
    done = stage.outcome(asked)
    assert done.status == "FAILED" and done.result is not None
    assert "AppKey" in str(done.result["error"])


def test_an_account_without_keys_is_answered_too(stage: Stage) -> None:
    account_id = stage.add_account(3, enabled=False)
    with writing(stage.engine) as session:
        session.delete(session.get_one(ApiCredential, accounts.credential_of(session, account_id).id))  # type: ignore[union-attr]
    asked = stage.command(account_id, CommandKind.TEST_KEY, "a")
    assert test_key(stage, account_id) == 0
    done = stage.outcome(asked)
    assert done.status == "FAILED" and done.result is not None
    assert "앱 키" in done.result["error"]["why"]


def test_while_the_bot_runs_the_bot_answers(stage: Stage) -> None:
    account_id = stage.add_account(4)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    asked = stage.command(account_id, CommandKind.TEST_KEY, "a")
    assert test_key(stage, account_id) == 0
    assert stage.outcome(asked).status == "DONE"
    beat = stage.wait_ready(bot)
    assert beat.detail["epoch"] == 1  # nobody took its lease
    assert bot.terminate() == 0


def test_another_host_that_acts_for_the_account_keeps_it(stage: Stage) -> None:
    account_id = stage.add_account(5)
    with writing(stage.engine) as session:
        heartbeats.take_lease(
            session, stage.clock.wall_now(), name=f"account:{account_id}", holder="elsewhere:7", ttl_s=30, force=False
        )
    asked = stage.command(account_id, CommandKind.TEST_KEY, "a")
    assert test_key(stage, account_id) == 0
    assert status(stage, asked) == "REQUESTED"
