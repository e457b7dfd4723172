"""Deliver alerts from the store to Telegram: at least once, oldest first, marked when Telegram said yes."""

from __future__ import annotations

import asyncio
import html
from datetime import timedelta

from sqlalchemy import Engine
from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from shared.clock import Clock
from shared.db import reading, writing
from shared.logs import log
from shared.models import Alert
from shared.store import accounts, alerts
from shared.words import alert_advice, alert_text

STALE = timedelta(hours=6)  # after a long silence yesterday's fills are history, not news
POLL_S = 1.0
MAX_TEXT = 3500  # Telegram takes 4096 characters after entities; what we send stays below
MARKS = {"critical": "🔴", "warning": "🟠", "info": "⚪"}


class Notifier:
    """Sends each alert to every chat of the allow-list."""

    def __init__(self, engine: Engine, clock: Clock, bot: Bot, chats: tuple[int, ...], lang: str) -> None:
        self._engine, self._clock, self._bot, self._chats, self._lang = engine, clock, bot, chats, lang

    async def deliver_pending(self) -> int:
        """Send what waits; return how many alerts were delivered."""
        rows = await asyncio.to_thread(self._pending)
        delivered = 0
        for row, account in rows:
            if self._clock.wall_now() - row.last_at > STALE:
                await asyncio.to_thread(self._mark, row.id or 0, "stale")
            elif await self._send(self.render(row, account)):
                await asyncio.to_thread(self._mark, row.id or 0, "telegram")
                delivered += 1
            else:
                break  # order is kept: the rest waits with it
        return delivered

    def render(self, alert: Alert, account: str) -> str:
        """The message as Telegram HTML; everything that came from outside is escaped."""
        head = (
            f"{MARKS.get(alert.severity, '⚪')} <b>{html.escape(account)}</b>"
            if account
            else MARKS.get(alert.severity, "⚪")
        )
        what = html.escape(alert_text(alert.kind, self._lang, alert.params))[:MAX_TEXT]
        now = html.escape(alert_advice(alert.kind, self._lang))
        return "\n".join(part for part in (head, what, now) if part)

    async def _send(self, text: str) -> bool:
        """True when every chat has it, or can never have it."""
        for chat in self._chats:
            try:
                await self._bot.send_message(chat, text, parse_mode=ParseMode.HTML)
            except RetryAfter as error:
                wait = error.retry_after
                await asyncio.sleep(wait.total_seconds() if isinstance(wait, timedelta) else wait)
                return False
            except (BadRequest, Forbidden) as error:
                log("telegram", "chat refused", level="error", chat=chat, why=str(error)[:200])
            except TelegramError as error:
                log("telegram", "not delivered, will try again", level="warning", why=type(error).__name__)
                return False
        return True

    def _pending(self) -> list[tuple[Alert, str]]:
        with reading(self._engine) as session:
            names = {row.id: row.nickname for row in accounts.live_accounts(session)}
            return [(row, names.get(row.account_id, "")) for row in alerts.undelivered(session)]

    def _mark(self, alert_id: int, by: str) -> None:
        with writing(self._engine) as session:
            alerts.mark_delivered(session, alert_id, self._clock.wall_now(), by)
