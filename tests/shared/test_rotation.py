"""Rotating the master key: cut anywhere, beside whoever seals at the same time, every sealed field stays readable."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from shared import schema
from shared.clock import SystemClock
from shared.config import ROOT, Settings, load_settings
from shared.crypto import KeyProvider, SecretError, load_keys, load_private, load_public, seal_row, write_keys
from shared.db import open_engine, reading, writing
from shared.domain.errors import Conflict
from shared.models import ApiCredential, BrokerageAccount
from shared.store import accounts, secrets, standby
from shared.store.rotation import STEPS, rotate

NOW = SystemClock().wall_now()
INSIDE = "inside the transaction"

CUT_HERE = """
import os, sys
from shared.config import load_settings
from shared.db import open_engine
from shared.store.rotation import rotate

def cut(at):
    if at == sys.argv[1]:
        os.kill(os.getpid(), 9)

settings = load_settings()
rotate(settings, open_engine(settings.database_url), lambda *_: cut("inside the transaction"), cut)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """A prepared store with one account: keys, a token, and its bot's copy."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else f"sqlite:///{tmp_path / 'a.db'}"
    given = {"LETSTRADE_HOME": str(tmp_path / "var"), "DATABASE_URL": url}
    settings = load_settings(given)
    write_keys(settings)
    engine = open_engine(url)
    schema.upgrade(engine)
    with writing(engine) as session:
        secrets.plant_canary(session, load_private(settings).current())
        account = BrokerageAccount(
            owner_id=accounts.first_owner(session, NOW).id or 0, nickname="one", broker="KIS", market="US",
            environment="SIM", created_at=NOW,
        )  # fmt: skip
        session.add(account)
        session.flush()
        add_keys(settings, account.id or 0)(session)
        save_token(session, load_private(settings), "first")
    settings.account_dir(1).mkdir(parents=True)
    with reading(engine) as session:
        standby.keep(
            settings.account_dir(1) / standby.FILE, standby.collect(session, 1, []), NOW, load_private(settings)
        )
    engine.dispose()
    return given


def add_keys(settings: Settings, account_id: int):  # type: ignore[no-untyped-def]
    def work(session):  # type: ignore[no-untyped-def]
        row = ApiCredential(
            account_id=account_id, app_key="", app_secret="", account_no="", sandbox=True, key_hash="h", updated_at=NOW
        )
        plain = {"app_key": "PSCANARY", "app_secret": "SECRETCANARY", "account_no": "12345678-01"}
        for column, sealed in seal_row(load_public(settings), "api_credentials", row.uuid, plain).items():
            setattr(row, column, sealed)
        session.add(row)
        session.flush()

    return work


def save_token(session, provider: KeyProvider, value: str) -> None:  # type: ignore[no-untyped-def]
    secrets.save_token(
        session, NOW, provider, account_id=1, key_hash="h", value=value, generation=1, expires_at=NOW
    )  # fmt: skip


def all_readable(env: dict[str, str]) -> bool:
    """With the key file as it stands: keys, token and canary of the store, keys and token of the copy."""
    settings = load_settings(env)
    ring, engine = load_private(settings), open_engine(settings.database_url)
    try:
        with reading(engine) as session:
            assert secrets.unreadable(session, ring) == []
            assert secrets.open_credential(session, ring, 1).app_key == "PSCANARY"  # type: ignore[union-attr]
        with standby.opened(settings.account_dir(1) / standby.FILE) as copy:
            assert copy is not None
            assert secrets.open_credential(copy, ring, 1).app_secret == "SECRETCANARY"  # type: ignore[union-attr]
            assert secrets.load_token(copy, ring, 1, "h") is not None
    finally:
        engine.dispose()
    return True


def run_rotation(env: dict[str, str]) -> tuple[str, int]:
    settings = load_settings(env)
    engine = open_engine(settings.database_url)
    try:
        return rotate(settings, engine, lambda *_: None, lambda step: None)
    finally:
        engine.dispose()


@pytest.mark.parametrize("cut_at", [*STEPS, INSIDE])
def test_a_rotation_killed_anywhere_leaves_everything_readable_and_can_be_run_again(
    env: dict[str, str], cut_at: str
) -> None:
    before = load_private(load_settings(env)).current()
    done = subprocess.run([sys.executable, "-c", CUT_HERE, cut_at], cwd=ROOT, env={"PATH": "/usr/bin", **env})
    assert done.returncode == -9
    assert all_readable(env)
    run_rotation(env)
    assert all_readable(env)
    settings = load_settings(env)
    assert len(settings.master_key_file.read_text().split()) == 1
    assert load_private(settings).current() == load_public(settings) != before


def test_whoever_holds_the_old_key_while_it_is_rotated_is_sealed_again(env: dict[str, str]) -> None:
    settings = load_settings(env)
    engine, keys = open_engine(settings.database_url), load_keys(settings)
    rotation = threading.Thread(target=run_rotation, args=(env,))
    with writing(engine) as session:
        secrets.hold_key(session)
        old = keys.current()
        rotation.start()
        deadline = time.monotonic() + 120
        while load_public(settings) == old:  # the rotation has come to where it seals the store again
            assert time.monotonic() < deadline
            time.sleep(0.01)
        save_token(session, load_fixed(old, load_private(settings)), "sealed late, under the old key")
        session.flush()
        assert rotation.is_alive()
    rotation.join(120)
    assert all_readable(env)
    with reading(engine) as session:
        found = secrets.load_token(session, load_private(settings), 1, "h")
    assert found is not None and found.value == "sealed late, under the old key"
    engine.dispose()


def load_fixed(current, ring):  # type: ignore[no-untyped-def]
    """A ring whose current key is the one read before the rotation."""

    class Fixed:
        def current(self):  # type: ignore[no-untyped-def]
            return current

        agree = ring.agree

    return Fixed()


def test_a_running_program_takes_the_new_key_without_a_restart(env: dict[str, str]) -> None:
    settings = load_settings(env)
    keys = load_keys(settings)
    engine = open_engine(settings.database_url)
    before = keys.current()
    run_rotation(env)
    assert keys.current() != before
    with reading(engine) as session:
        assert secrets.open_credential(session, keys, 1) is not None
    with writing(engine) as session:
        save_token(session, keys, "renewed")
    assert all_readable(env)
    engine.dispose()


def test_a_copy_written_with_rows_of_before_the_rotation_is_sealed_again_or_refused(env: dict[str, str]) -> None:
    settings = load_settings(env)
    engine, path = open_engine(settings.database_url), settings.account_dir(1) / standby.FILE
    with reading(engine) as session:
        rows = standby.collect(session, 1, [])
    run_rotation(env)
    with pytest.raises(SecretError):
        standby.keep(path, rows, NOW, load_keys(settings))
    assert all_readable(env)
    engine.dispose()


def test_one_rotation_at_a_time_and_none_of_a_key_in_the_environment(env: dict[str, str]) -> None:
    settings = load_settings(env)
    engine = open_engine(settings.database_url)

    def again(step: str) -> None:
        with pytest.raises(Conflict):
            rotate(settings, engine, lambda *_: None, lambda inner: None)

    rotate(settings, engine, lambda *_: None, again)
    with pytest.raises(Conflict):
        rotate(replace(settings, master_key="x"), engine, lambda *_: None, lambda step: None)
    with reading(engine) as session:
        assert session.exec(select(ApiCredential)).all()
    engine.dispose()
