"""The daily report, sent to each person at the time he chose, once a day."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from telegram import Bot
from telegram.error import BadRequest, Forbidden, TelegramError

from console.services.permissions import Actor
from console.telegram import reads
from console.telegram.keyboard import send
from console.wiring import Wiring
from shared.db import reading, writing
from shared.logs import log
from shared.models import Role, TelegramLink
from shared.store.people import telegram_people

ONE_DAY = timedelta(days=1)
AGAIN_S = 30.0
LATEST = timedelta(hours=2)  # a report missed by more than this is skipped: the next one comes tomorrow


class DailyReports:
    """Sends each person's report; one whose chat takes nothing holds nobody else up."""

    def __init__(self, wiring: Wiring, bot: Bot) -> None:
        self._wiring, self._bot = wiring, bot
        self._again_at: dict[int, float] = {}  # link → monotonic time of the next try

    async def send_due(self) -> int:
        """Send every report that is due; return how many."""
        sent = 0
        for link_id, chat, actor, day in await asyncio.to_thread(self._due):
            if self._wiring.clock.monotonic() < self._again_at.get(link_id, 0.0):
                continue
            reply = await asyncio.to_thread(reads.report, self._wiring, actor, [])
            try:
                await send(self._bot, chat, reply)
                sent += 1
            except (BadRequest, Forbidden) as error:
                log("telegram", "report refused", level="error", chat=chat, why=str(error)[:200])
            except TelegramError as error:
                log("telegram", "report not delivered, will try again", level="warning", why=type(error).__name__)
                self._again_at[link_id] = self._wiring.clock.monotonic() + AGAIN_S
                continue
            await asyncio.to_thread(_reported, self._wiring, link_id, day)
        return sent

    def _due(self) -> list[tuple[int, int, Actor, str]]:
        now = self._wiring.clock.wall_now()
        with reading(self._wiring.engine) as session:
            return [
                (
                    link.id or 0,
                    link.telegram_id,
                    _actor(user.id, user.role, user.lang or self._wiring.settings.lang),
                    day,
                )
                for link, user in telegram_people(session)
                if (day := due_on(link, now)) is not None
            ]


def due_on(link: TelegramLink, now: datetime) -> str | None:
    """The ISO date whose report is due now; None when there is none. One of late evening may be due after midnight."""
    if not link.report_at:
        return None
    local, asked = now.astimezone(ZoneInfo(link.zone)), time.fromisoformat(link.report_at)
    for day in (local.date(), local.date() - ONE_DAY):
        late = now - datetime.combine(day, asked, local.tzinfo)
        if timedelta(0) <= late < LATEST and link.reported_on != day.isoformat():
            return day.isoformat()
    return None


def _actor(user_id: int | None, role: str, lang: str) -> Actor:
    return Actor(user_id, Role(role), "telegram", "", lang)


def _reported(wiring: Wiring, link_id: int, day: str) -> None:
    with writing(wiring.engine) as session:
        link = session.get(TelegramLink, link_id)
        if link is not None:
            link.reported_on = day
            session.add(link)
