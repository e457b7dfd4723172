"""Alerts reach Telegram once each, in order, and survive its refusals."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Engine
from sqlmodel import select
from telegram import Bot

from console.telegram.notifier import STALE, Notifier
from shared.clock import SystemClock
from shared.config import ROOT, load_settings
from shared.crypto import write_keys
from shared.db import reading, writing
from shared.models import Role, TelegramLink, User
from shared.store import alerts
from shared.store.people import link_telegram
from tests.console.telegram.bot_api import TOKEN, BotApi, bot_api, too_many

CLOCK = SystemClock()


def tell(engine: Engine, key: str, **params: object) -> int:
    with writing(engine) as session:
        given = {"symbol": "AAPL", "side": "BUY", "quantity": 3, "price": "211.50", **params}
        return alerts.raise_alert(session, CLOCK.wall_now(), kind="FILL", severity="info", dedup_key=key, params=given)


@asynccontextmanager
async def notifier(engine: Engine) -> AsyncIterator[tuple[Notifier, BotApi]]:
    async with bot_api() as api, Bot(TOKEN, base_url=f"{api.url}/bot") as bot:
        yield Notifier(engine, CLOCK, bot, (42,), "ko"), api


async def test_an_alert_is_sent_once(store: Engine) -> None:
    tell(store, "fill:1")
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 1
        assert await one.deliver_pending() == 0
        assert [form["chat_id"] for form in api.sent] == ["42"]
        assert "AAPL" in api.sent[0]["text"] and "매수" in api.sent[0]["text"]


async def test_hostile_names_cannot_become_markup(store: Engine) -> None:
    tell(store, "fill:1", symbol="<b>&</b><script>")
    async with notifier(store) as (one, api):
        await one.deliver_pending()
        assert "<script>" not in api.sent[0]["text"] and "&lt;b&gt;&amp;" in api.sent[0]["text"]


async def test_too_many_requests_keeps_order_and_loses_nothing(store: Engine) -> None:
    for number in range(3):
        tell(store, f"fill:{number}", quantity=number + 1)
    async with notifier(store) as (one, api):
        api.answers.append(too_many(0))
        assert await one.deliver_pending() == 0
        assert await one.deliver_pending() == 3
        assert [f"{n}주" in form["text"] for n, form in enumerate(api.sent, 1)] == [True] * 3


async def test_an_outage_is_not_a_delivery(store: Engine) -> None:
    number = tell(store, "fill:1")
    async with notifier(store) as (one, api):
        api.answers.append(web.Response(status=502, text="<html>"))
        assert await one.deliver_pending() == 0
        with reading(store) as session:
            assert [row.id for row in alerts.undelivered(session)] == [number]


async def test_a_chat_that_blocked_us_does_not_hold_up_the_rest(store: Engine) -> None:
    tell(store, "fill:1")
    tell(store, "fill:2")
    async with notifier(store) as (one, api):
        blocked = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
        api.answers.append(web.json_response(blocked, status=403))
        assert await one.deliver_pending() == 2
        assert len(api.sent) == 1


async def test_yesterdays_fills_are_not_sent_as_news(store: Engine) -> None:
    with writing(store) as session:
        long_ago = CLOCK.wall_now() - STALE - timedelta(minutes=1)
        alerts.raise_alert(session, long_ago, kind="FILL", severity="info", dedup_key="old", params={})
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 0
        assert api.sent == []
        with reading(store) as session:
            assert alerts.undelivered(session) == []


async def test_the_program_delivers_and_stops_on_request(store: Engine, tmp_path: Path) -> None:
    tell(store, "fill:1")
    write_keys(load_settings({"LETSTRADE_HOME": str(tmp_path), "DATABASE_URL": str(store.url)}))
    async with bot_api() as api:
        env = {
            **os.environ,
            "DATABASE_URL": str(store.url),
            "LETSTRADE_HOME": str(tmp_path),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_CHAT_IDS": "42",
            "TELEGRAM_API_BASE": api.url,
        }
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console.telegram", cwd=ROOT, env=env, stderr=subprocess.PIPE
        )
        async with asyncio.timeout(120):
            while not api.sent:
                await asyncio.sleep(0.05)
            program.send_signal(signal.SIGTERM)
            _, errors = await program.communicate()
        assert program.returncode == 0
        assert TOKEN.encode() not in errors


def test_without_a_token_the_program_ends_as_expected(tmp_path: Path) -> None:
    env = {**os.environ, "LETSTRADE_HOME": str(tmp_path), "TELEGRAM_BOT_TOKEN": ""}
    done = subprocess.run(
        [sys.executable, "-m", "console.telegram"], cwd=ROOT, env=env, capture_output=True, timeout=60
    )
    assert done.returncode == 0 and b"TELEGRAM_BOT_TOKEN" in done.stderr


def link(engine: Engine, telegram_id: int, **wishes: Any) -> None:
    with writing(engine) as session:
        now = CLOCK.wall_now()
        user = User(email=f"{telegram_id}@desk.local", role=Role.ADMIN.value, created_at=now)
        session.add(user)
        session.flush()
        row = link_telegram(session, now, user.id or 0, telegram_id)
        for name, value in wishes.items():
            setattr(row, name, value)
        session.add(row)


async def test_an_outage_between_two_people_doubles_nothing(store: Engine) -> None:
    link(store, 7)
    tell(store, "fill:1")
    async with notifier(store) as (one, api):
        await one.deliver_pending()  # 7 and 42
        assert sorted(form["chat_id"] for form in api.sent) == ["42", "7"]
        tell(store, "fill:2")
        api.answers += [web.json_response({"ok": True, "result": _message()}), web.Response(status=502, text="x")]
        await one.deliver_pending()  # 7 has it, 42 does not
        await one.deliver_pending()
        assert [form["chat_id"] for form in api.sent[2:]] == ["42"]
        with reading(store) as session:
            assert alerts.undelivered(session) == []


async def test_many_at_once_are_one_message_and_a_critical_one_stands_alone(store: Engine) -> None:
    for number in range(6):
        tell(store, f"fill:{number}")
    with writing(store) as session:
        alerts.raise_alert(
            session, CLOCK.wall_now(), kind="BOT_SILENT", severity="critical", dedup_key="s", params={"silent_s": 20}
        )
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 7
        assert len(api.sent) == 2
        assert "알림 6건" in api.sent[0]["text"] and api.sent[0]["disable_notification"] == "true"
        assert "봇 응답 없음" in api.sent[1]["text"] and api.sent[1]["disable_notification"] == "false"


async def test_quiet_hours_hold_everything_but_danger_until_they_end(store: Engine) -> None:
    here = CLOCK.wall_now().astimezone(ZoneInfo("Asia/Seoul"))
    quiet = {"quiet_from": f"{here - timedelta(hours=1):%H:%M}", "quiet_to": f"{here + timedelta(hours=1):%H:%M}"}
    link(store, 42, **quiet)
    tell(store, "fill:1")
    with writing(store) as session:
        alerts.raise_alert(session, CLOCK.wall_now(), kind="BOT_BLOCKED", severity="critical", dedup_key="b")
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 1
        assert "봇 거래 중단" in api.sent[0]["text"]
        with writing(store) as session:
            row = session.exec(select(TelegramLink)).one()
            row.quiet_from = row.quiet_to = ""
            session.add(row)
        assert await one.deliver_pending() == 1
        assert "AAPL" in api.sent[1]["text"]


async def test_an_event_he_switched_off_is_not_told(store: Engine) -> None:
    link(store, 42, levels={"FILL": "off"})
    tell(store, "fill:1")
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 0
        assert api.sent == []
        with reading(store) as session:
            assert alerts.undelivered(session) == []


def _message() -> dict[str, Any]:
    return {"message_id": 9, "date": 0, "chat": {"id": 7, "type": "private"}, "text": "x"}


async def test_a_hundred_alerts_through_429_outages_and_restarts_arrive_once_each_in_order(store: Engine) -> None:
    """Every second attempt meets a fault, and the notifier is a new process every tenth time: none lost, none doubled."""
    chance, faults = random.Random(8), 0
    async with bot_api() as api, Bot(TOKEN, base_url=f"{api.url}/bot") as bot:
        written = 0
        while written < 100 or alerts_waiting(store):
            for _ in range(min(chance.randrange(12), 100 - written)):
                written += 1
                raise_critical(store, written)
            one = Notifier(store, CLOCK, bot, (42,), "ko")
            for _ in range(3):
                if chance.random() < 0.5:
                    faults += 1
                    away = web.Response(status=502, text="<html>")
                    api.answers.append(chance.choice([too_many(0), away, web.json_response({"ok": False}, status=500)]))
                await one.deliver_pending()
        told = [int(found[1]) for form in api.sent if (found := re.search(r" (\d+)주", form["text"]))]
    assert told == list(range(1, 101)) and faults > 15


def raise_critical(engine: Engine, number: int) -> None:
    with writing(engine) as session:
        params = {"symbol": "AAPL", "side": "BUY", "quantity": number}
        alerts.raise_alert(
            session, CLOCK.wall_now(), kind="ORDER_UNKNOWN", severity="critical", dedup_key=f"u:{number}", params=params
        )


def alerts_waiting(engine: Engine) -> bool:
    with reading(engine) as session:
        return bool(alerts.undelivered(session))


async def test_an_entry_that_asks_is_told_in_quiet_hours_alone_and_not_once_it_is_over(store: Engine) -> None:
    here = CLOCK.wall_now().astimezone(ZoneInfo("Asia/Seoul"))
    link(store, 42, quiet_from=f"{here - timedelta(hours=1):%H:%M}", quiet_to=f"{here + timedelta(hours=1):%H:%M}")
    for number in range(6):
        tell(store, f"fill:{number}")
    ask(store, "over")
    with writing(store) as session:
        alerts.end(session, CLOCK.wall_now(), dedup_key="approval:over")
    ask(store, "waits")
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 1
        assert "승인 대기" in api.sent[0]["text"] and len(api.sent) == 1


def ask(engine: Engine, key: str) -> None:
    with writing(engine) as session:
        params = {"symbol": "AAPL", "side": "BUY", "quantity": 3, "price": "211.50"}
        alerts.raise_alert(
            session,
            CLOCK.wall_now(),
            kind="APPROVAL_WAITING",
            severity="warning",
            dedup_key=f"approval:{key}",
            params=params,
        )


async def test_what_is_critical_rings_whatever_is_said_of_its_severity(store: Engine) -> None:
    link(store, 42, levels={"critical": "off", "info": "off", "BOT_BLOCKED": "off"})
    tell(store, "fill:1")
    with writing(store) as session:
        for kind in ("BOT_SILENT", "BOT_BLOCKED"):
            alerts.raise_alert(session, CLOCK.wall_now(), kind=kind, severity="critical", dedup_key=kind)
    async with notifier(store) as (one, api):
        assert await one.deliver_pending() == 1
        assert "봇 응답 없음" in api.sent[0]["text"] and api.sent[0]["disable_notification"] == "false"
