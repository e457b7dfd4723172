"""The daily report, sent to each person at the time he chose, once a day."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from telegram import Bot

from console.services.permissions import Actor
from console.telegram import reads
from console.telegram.keyboard import send
from console.wiring import Wiring
from shared.db import reading, writing
from shared.models import Role, TelegramLink
from shared.store.people import telegram_people

LATEST = timedelta(hours=2)  # a report missed by more than this is skipped: the next one comes tomorrow


async def send_due(wiring: Wiring, bot: Bot) -> int:
    """Send every report that is due; return how many."""
    due = await asyncio.to_thread(_due, wiring)
    for link_id, chat, actor, day in due:
        reply = await asyncio.to_thread(reads.report, wiring, actor, [])
        await send(bot, chat, reply)
        await asyncio.to_thread(_reported, wiring, link_id, day)
    return len(due)


def _due(wiring: Wiring) -> list[tuple[int, int, Actor, str]]:
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        return [
            (link.id or 0, link.telegram_id, _actor(user.id, user.role, user.lang or wiring.settings.lang), day)
            for link, user in telegram_people(session)
            if (day := due_on(link, now)) is not None
        ]


def due_on(link: TelegramLink, now: datetime) -> str | None:
    """The ISO date whose report is due now; None when there is none."""
    if not link.report_at:
        return None
    local = now.astimezone(ZoneInfo(link.zone))
    at = local.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = time.fromisoformat(link.report_at)
    at = at.replace(hour=asked.hour, minute=asked.minute)
    today = local.date().isoformat()
    return today if at <= local < at + LATEST and link.reported_on != today else None


def _actor(user_id: int | None, role: str, lang: str) -> Actor:
    return Actor(user_id, Role(role), "telegram", "", lang)


def _reported(wiring: Wiring, link_id: int, day: str) -> None:
    with writing(wiring.engine) as session:
        link = session.get(TelegramLink, link_id)
        if link is not None:
            link.reported_on = day
            session.add(link)
