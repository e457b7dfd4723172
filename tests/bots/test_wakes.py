"""A change that another host commits is heard here at once; where it cannot be, the ear says so and is not believed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bots import wakes
from bots.wakes import Ear, address
from shared.config import load_settings
from shared.db import open_engine, writing
from shared.domain.bot_state import KillLevel
from shared.models import BrokerageAccount, Owner
from shared.store import commands, kill
from shared.store.commands import CommandKind
from tests.bots.stage import wait_until
from tests.fakes import START


class Heard:
    def __init__(self) -> None:
        self.accounts: list[int | None] = []
        self.any = threading.Event()

    def nudge(self, run_dir: Path, account_id: int | None) -> None:
        self.accounts.append(account_id)
        self.any.set()


@pytest.fixture
def engine(postgresql_store_url: str) -> Iterator[Engine]:
    made = open_engine(postgresql_store_url)
    yield made
    made.dispose()


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def change(session: Session, account_id: int) -> None:
    session.get_one(BrokerageAccount, account_id).config_version += 1


@pytest.mark.postgres
def test_a_commit_names_the_account_it_concerns(engine: Engine, postgresql_store_url: str, tmp_path: Path) -> None:
    with writing(engine) as session:
        session.add(Owner(id=1, name="o", created_at=START))
        session.flush()
        session.add(
            BrokerageAccount(
                id=5, owner_id=1, nickname="a", broker="KIS", market="US", environment="SIM", created_at=START
            )
        )
    heard = Heard()
    ear = Ear(plain(postgresql_store_url), tmp_path, heard.nudge)
    ear.start()
    wait_until("the ear hears", lambda: ear.hears)
    assert heard.accounts == [None]  # whatever was said before: everybody looks once
    with writing(engine) as session:
        change(session, 5)
    with writing(engine) as session:
        session.get_one(BrokerageAccount, 5).last_heartbeat = START  # a heartbeat is nobody's news
    with writing(engine) as session:
        commands.request(session, START, account_id=5, kind=CommandKind.SNAPSHOT, key="k", requested_by="t")
    with writing(engine) as session:
        kill.set_level(session, START, account_id=None, level=KillLevel.HALT, reason="", by="t")
    wait_until("all was heard", lambda: heard.accounts == [None, 5, 5, None])
    with psycopg.connect(plain(postgresql_store_url), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'letstrade-ear'"
        )
    wait_until("it listens again and everybody looks", lambda: heard.accounts == [None, 5, 5, None, None])
    ear.close()


@pytest.mark.postgres
def test_behind_a_transaction_pooler_the_ear_is_not_believed(
    pooled_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wakes, "PROOF_S", 0.5)
    heard = Heard()
    ear = Ear(plain(pooled_store_url), tmp_path, heard.nudge)
    ear.start()
    wait_until("it says that it hears nothing", lambda: "SUPABASE_DIRECT_URL" in caplog.text)
    assert not ear.hears and heard.accounts == []
    ear.close()


def test_where_to_listen(tmp_path: Path) -> None:
    settings = load_settings({"LETSTRADE_HOME": str(tmp_path)})
    assert address(settings) is None
    pooled = replace(settings, database_url="postgresql+psycopg://u:p@h:6543/postgres")
    assert address(pooled) is None
    assert (
        address(replace(pooled, direct_url="postgresql+psycopg://u:p@h:5432/postgres"))
        == "postgresql://u:p@h:5432/postgres"
    )
    assert address(replace(settings, database_url="postgresql+psycopg://u@h/d")) == "postgresql://u@h/d"
