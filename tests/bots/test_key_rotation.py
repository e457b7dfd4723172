"""`keys rotate` beside a real bot: what it seals afterwards opens at its next start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.config import ROOT
from shared.crypto import KeyRing, load_private, new_private_key
from shared.db import reading, writing
from shared.store import secrets
from shared.store.rotation import rotate
from shared.store.secrets import OpenedToken
from tests.bots.stage import Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bot-stage")]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("rotation"))
    yield opened
    opened.close()


def cli(stage: Stage, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", *words, "--json"],
        cwd=ROOT,
        env=stage.env,
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def stored_token(stage: Stage, account_id: int, number: int) -> OpenedToken | None:
    with reading(stage.engine) as session:
        return secrets.load_token(session, load_private(stage.settings), account_id, f"hash{number}")


def healthy_keys(stage: Stage) -> bool:
    checks = {one["check"]: one["ok"] for one in cli(stage, "doctor")["items"]}
    return bool(checks["keys"] and checks["database"])


def test_a_token_that_arrives_after_a_rotation_is_sealed_under_the_new_key(stage: Stage) -> None:
    account_id = stage.add_account(1)
    stage.admin("POST", "/faults", json={"match": {"tr": "tokenP"}, "action": "delay", "args": {"seconds": 8}})
    bot = stage.start_bot(account_id)
    # It has opened its keys, and waits for the answer.
    wait_until("the bot asks for its token", lambda: stage.admin("GET", "/faults")["faults"][0]["fired"])
    before = load_private(stage.settings).current()
    rotate(stage.settings, stage.engine, lambda *_: None, lambda _: None)  # not by a process: its start takes seconds
    assert load_private(stage.settings).current() != before
    assert stored_token(stage, account_id, 1) is None  # it came later
    stage.wait_ready(bot)
    wait_until("the token is kept", lambda: stored_token(stage, account_id, 1))
    assert healthy_keys(stage)
    assert bot.terminate() == 0

    again = stage.start_bot(account_id)
    stage.wait_ready(again)
    found = stored_token(stage, account_id, 1)
    assert found is not None and found.generation == 1  # the same token opened; none was issued
    cli(stage, "keys", "rotate")  # a second time, beside a bot that trades
    done = stage.outcome(stage.buy(account_id, "after"))
    assert done.status == "DONE"
    assert again.terminate() == 0
    assert healthy_keys(stage)


def test_a_token_that_does_not_open_counts_as_none(stage: Stage) -> None:
    account_id = stage.add_account(2)
    now = stage.clock.wall_now()
    with writing(stage.engine) as session:
        secrets.save_token(
            session, now - timedelta(hours=2), KeyRing([new_private_key()]), account_id=account_id, key_hash="hash2",
            value="lost", generation=4, expires_at=now + timedelta(hours=22),
        )  # fmt: skip
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    wait_until("a new token is kept", lambda: stored_token(stage, account_id, 2))
    assert bot.terminate() == 0
