"""Urgent alerts: one message when both notifiers are up, one when the desk's own is dead, none lost, none invented."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Engine, text
from sqlmodel import select

from shared import schema
from shared.clock import SystemClock
from shared.config import ROOT, load_settings
from shared.crypto import write_keys
from shared.db import open_engine, reading, writing
from shared.models import Alert, BrokerageAccount, Owner, User
from shared.store import alerts, people
from tests.cloud.edge import DENO, NO_DENO, SECRET, Network, deno, free_port, function, install, plain_url
from tests.console.telegram.bot_api import TOKEN, BotApi, bot_api
from tools.make_edge_words import FILE, document

CLOCK = SystemClock()
needs_deno = pytest.mark.skipif(DENO is None, reason=NO_DENO)


def test_the_function_speaks_the_desks_own_words() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "run tools/make_edge_words.py"


@needs_deno
def test_the_functions_own_tests_pass() -> None:
    for words in (("check", "urgent-alerts/index.ts"), ("lint", "."), ("test", "-A", ".")):
        done = deno(*words)
        assert done.returncode == 0, f"deno {words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@dataclass
class Hosted:
    """A project's database with the migration, the function served, Telegram on loopback."""

    engine: Engine
    database: str
    api: BotApi
    network: Network
    home: Path

    def raise_(self, key: str, kind: str = "ORDER_UNKNOWN", severity: str = "critical") -> int:
        params = {"symbol": "AAPL", "side": "BUY", "quantity": 3}
        with writing(self.engine) as session:
            return alerts.raise_alert(
                session, CLOCK.wall_now(), kind=kind, severity=severity, dedup_key=key, params=params
            )

    def row(self, alert_id: int) -> Alert:
        with reading(self.engine) as session:
            found = session.get(Alert, alert_id)
            assert found is not None
            return found

    def sql(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    async def until(self, check: Callable[[], Any]) -> None:
        async with asyncio.timeout(120):
            while not check():
                await asyncio.sleep(0.02)

    def texts(self) -> list[str]:
        return [form["text"] for form in self.api.sent]

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The real program, once it has given its first sign of life."""
        env = {
            **os.environ,
            "DATABASE_URL": self.database,
            "LETSTRADE_HOME": str(self.home),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_CHAT_IDS": "42",
            "TELEGRAM_API_BASE": self.api.url,
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console.telegram", cwd=ROOT, env=env, stderr=subprocess.DEVNULL
        )
        try:
            await self.until(lambda: self._alive())
            yield program
        finally:
            program.kill()
            await program.wait()

    def _alive(self) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.execute(text("select letstrade.notifier_alive()")).scalar())


@pytest.fixture
def database(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
async def hosted(database: Engine, tmp_path: Path) -> AsyncIterator[Hosted]:
    plain = plain_url(database)
    port = free_port()
    install(database, f"http://127.0.0.1:{port}")
    write_keys(load_settings({"LETSTRADE_HOME": str(tmp_path), "DATABASE_URL": plain}))
    async with bot_api() as api:
        entered = function(plain, api.url, TOKEN, port)
        await asyncio.to_thread(entered.__enter__)
        try:
            with Network(plain) as network:
                yield Hosted(database, plain, api, network, tmp_path)
        finally:
            await asyncio.to_thread(entered.__exit__, None, None, None)


@needs_deno
@pytest.mark.postgres
async def test_with_the_notifier_dead_an_urgent_alert_is_told_once_and_at_once(hosted: Hosted) -> None:
    number = hosted.raise_("unknown:1")
    await hosted.until(lambda: hosted.row(number).delivered_at)
    for _ in range(5):
        await asyncio.to_thread(hosted.network.look)
    assert [("주문 결과 미확인" in one and "매수 3주" in one) for one in hosted.texts()] == [True]
    assert hosted.row(number).claimed_by.startswith("edge:")
    fill = hosted.raise_("fill:1", "FILL", "info")
    spike = hosted.raise_("spike:1", "PRICE_SPIKE", "warning")
    await hosted.until(lambda: hosted.row(spike).delivered_at)
    assert hosted.row(fill).delivered_at is None and len(hosted.api.sent) == 2  # a fill is the notifier's alone
    # what could not be sent is released, and the next look sends it
    hosted.api.answers += [web.Response(status=502, text="<html>")]
    late = hosted.raise_("unknown:2")
    await hosted.until(lambda: len(hosted.network.answers) >= 3)
    assert hosted.row(late).claimed_by == "" and hosted.row(late).delivered_at is None
    await asyncio.to_thread(hosted.network.look)
    await hosted.until(lambda: hosted.row(late).delivered_at)
    assert len(hosted.api.sent) == 3 and {code for code, _ in hosted.network.answers} == {200}


@needs_deno
@pytest.mark.postgres
async def test_with_both_up_there_is_one_message_each(hosted: Hosted) -> None:
    async with hosted.notifier() as program:
        numbers = [hosted.raise_(f"unknown:{n}") for n in range(6)]
        while not all(hosted.row(n).delivered_at for n in numbers):
            await asyncio.to_thread(hosted.network.look)
        assert len(hosted.api.sent) == 6
        assert {hosted.row(n).claimed_by for n in numbers} == {"telegram"} and hosted.network.answers == []
        # frozen, it says nothing more: the function takes over, and what it sent is not sent again on waking
        program.send_signal(signal.SIGSTOP)
        frozen = hosted.raise_("unknown:frozen")
        hosted.sql("update alerts set last_at = now() - interval '11 seconds' where id = :id", id=frozen)
        await asyncio.to_thread(hosted.network.look)
        await hosted.until(lambda: hosted.row(frozen).delivered_at)
        program.send_signal(signal.SIGCONT)
        after = hosted.raise_("unknown:after")
        await hosted.until(lambda: hosted.row(after).delivered_at)
        assert len(hosted.api.sent) == 8


@needs_deno
@pytest.mark.postgres
async def test_both_claiming_the_same_alerts_at_once_send_each_once(hosted: Hosted) -> None:
    """The notifier's sign of life is taken away each round, so that both believe that it is theirs to send."""
    async with hosted.notifier():
        numbers = []
        for n in range(12):
            hosted.sql("update meta set value = '2026-01-01T00:00:00+00:00' where name like 'beat:telegram%'")
            numbers.append(hosted.raise_(f"unknown:{n}"))
            await asyncio.to_thread(hosted.network.look)
        await hosted.until(lambda: all(hosted.row(n).delivered_at for n in numbers))
        assert len(hosted.api.sent) == 12
        assert hosted.network.answers, "the function was never called: nothing was proven"


@needs_deno
@pytest.mark.postgres
async def test_a_trader_hears_of_his_accounts_and_those_of_his_groups_and_of_no_other(hosted: Hosted) -> None:
    with writing(hosted.engine) as session:
        now = CLOCK.wall_now()
        session.add_all(Owner(id=n, name=f"o{n}", created_at=now) for n in (1, 2))
        session.add(User(id=1, email="t@desk", role="Trader", created_at=now))
        session.flush()
        session.add_all(
            BrokerageAccount(id=n, owner_id=owner, nickname=f"a{n}", broker="KIS", market="US", environment=env, created_at=now)
            for n, (owner, env) in enumerate([(1, "SIM"), (2, "SIM"), (1, "MOCK"), (1, "LIVE")], 1)
        )  # fmt: skip
        people.set_grants(session, 1, [1], ["owner:2", "env:MOCK"], now)
        people.link_telegram(session, now, 1, 77)
        for n in (1, 2, 3, 4):
            alerts.raise_alert(session, now, kind="ORDER_UNKNOWN", severity="critical", dedup_key=f"u{n}", account_id=n)
        heard = people.granted_accounts(session, 1)
    await hosted.until(lambda: len([one for one in hosted.api.sent if str(one["chat_id"]) == "42"]) == 4)
    told = {str(one["text"]) for one in hosted.api.sent if str(one["chat_id"]) == "77"}
    assert heard == {1, 2, 3}
    assert {n for n in (1, 2, 3, 4) if any(f"<b>a{n}</b>" in text for text in told)} == heard and len(told) == 3


@pytest.mark.postgres
def test_a_host_that_fell_silent_raises_one_alert_and_a_broken_network_breaks_no_transaction(database: Engine) -> None:
    install(database, "http://127.0.0.1:9")
    with database.begin() as connection:
        connection.exec_driver_sql(
            "drop function net.http_post; create function net.http_post(url text, body jsonb, headers jsonb,"
            " timeout_milliseconds integer) returns bigint language plpgsql as"
            " $$ begin raise exception 'no network'; end $$"
        )
        connection.exec_driver_sql(
            "insert into users (id, email, name, role, must_change_password, created_at)"
            " values (1, 'a@b', '', 'Admin', false, now())"
        )
    with writing(database) as session:
        alerts.raise_alert(session, CLOCK.wall_now(), kind="BOT_FATAL", severity="critical", dedup_key="x")
    seen = CLOCK.wall_now() - timedelta(seconds=70)
    plant_host(database, "desk_1/ab", seen)
    for _ in range(3):
        with database.begin() as connection:
            connection.exec_driver_sql("select letstrade.watch_hosts()")
    with reading(database) as session:
        [told] = session.exec(select(Alert).where(Alert.kind == "HOST_SILENT")).all()
        assert told.params["accounts"] == "데모" and told.params["silent_s"] >= 70
        key = f"HOST_SILENT:desk_1/ab:{seen.isoformat()}"  # bots/fleet.py's: two watchers raise one alert
        assert told.dedup_key == key or seen.microsecond == 0


@pytest.mark.postgres
def test_the_database_signs_as_the_function_verifies(database: Engine) -> None:
    import hashlib
    import hmac

    install(database, "http://127.0.0.1:9")
    with writing(database) as session:
        alerts.raise_alert(session, CLOCK.wall_now(), kind="BOT_FATAL", severity="critical", dedup_key="x")
    with database.connect() as connection:
        headers, body = connection.execute(text("select headers, body from net.http_request_queue")).one()
    at, told = (part.split("=")[1] for part in headers["X-LetsTrade-Signature"].split(","))
    assert told == hmac.new(SECRET.encode(), at.encode() + b"." + bytes(body), hashlib.sha256).hexdigest()


def plant_host(engine: Engine, name: str, seen: Any) -> None:
    from shared.models import BrokerageAccount, Lease, Owner
    from shared.store import heartbeats

    with writing(engine) as session:
        session.add(Owner(id=1, name="o", created_at=seen))
        session.flush()
        account = BrokerageAccount(
            user_id=1, owner_id=1, nickname="데모", broker="kis", market="US", environment="SIM", enabled=True,
            created_at=seen,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add(
            Lease(name=f"account:{account.id}", holder=f"{name}:77", epoch=1, acquired_at=seen, renewed_at=seen)
        )
        heartbeats.see_host(session, seen, name=name, group="", programs={})
