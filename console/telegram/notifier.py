"""Deliver alerts from the store to Telegram: to each person at least once, oldest first, marked when Telegram said yes."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session
from telegram import Bot, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from console.telegram import messages
from console.telegram.keyboard import keyboard
from console.telegram.reads import ANSWERS, MENU
from console.telegram.recipients import OFF, SILENT, Recipient, recipients
from shared.clock import Clock
from shared.db import reading, writing
from shared.logs import log
from shared.models import Alert
from shared.store import accounts, alerts, heartbeats, proposals

STALE = timedelta(hours=6)  # after a long silence yesterday's fills are history, not news
STALE_QUIET = timedelta(hours=24)  # what quiet hours held back is still told in the morning
GROUP_FROM = 4  # so many at once become one message; a critical one always stands alone
POLL_S = 1.0
ALIVE_EVERY_S = 5.0  # the Edge Function sends at once when this program has been silent for 15 s
PROGRAM = "telegram"
ASKS = "APPROVAL_WAITING"  # an entry that a person answers within minutes: no quiet hour, no digest, no news once over

Named = tuple[Alert, str]  # an alert and the name of its account


class Notifier:
    """Tells each person what he may see, as loud as he wants it, once."""

    def __init__(self, engine: Engine, clock: Clock, bot: Bot, chats: tuple[int, ...], lang: str) -> None:
        self._engine, self._clock, self._bot, self._chats, self._lang = engine, clock, bot, chats, lang
        self._host = socket.gethostname()
        self._claimant = f"{PROGRAM}:{self._host}:{os.getpid()}"
        self._said_at = -ALIVE_EVERY_S

    async def deliver_pending(self) -> int:
        """Send what waits; return how many alerts were sent to somebody."""
        await self._say_alive()
        rows, people, done = await asyncio.to_thread(self._pending)
        if not people:
            return 0
        told: set[int] = set()
        for person in people:
            waiting = [row for row in rows if (row[0].id or 0, person.chat) not in done]
            told |= await self._tell(person, waiting, done)
        finished = [row.id or 0 for row, _ in rows if all((row.id or 0, one.chat) in done for one in people)]
        if finished:
            await asyncio.to_thread(self._close, finished)
        return len(told)

    async def _tell(self, person: Recipient, rows: Sequence[Named], done: set[tuple[int, int]]) -> set[int]:
        """Send one person what waits for him; stops at the first that Telegram does not take, so order is kept."""
        now, sent = self._clock.wall_now(), set[int]()
        stale = STALE_QUIET if person.quiet else STALE
        skipped: dict[str, list[int]] = {"off": [], "stale": []}
        fresh: list[Named] = []
        for row in rows:
            alert = row[0]
            if not person.sees(alert.account_id) or person.level(alert.kind, alert.severity) == OFF:
                skipped["off"].append(alert.id or 0)
            elif now - alert.last_at > stale or (alert.kind == ASKS and alert.acknowledged_at is not None):
                skipped["stale"].append(alert.id or 0)
            elif alert.severity == "critical" or alert.kind == ASKS or not person.is_quiet(now):
                fresh.append(row)
        for outcome, ids in skipped.items():
            if ids:
                await self._mark(person, ids, outcome, done)
        for group in batches(fresh):
            batch = await self._claimed(group)
            if not batch:
                continue  # another messenger is telling them
            ids = [row.id or 0 for row, _ in batch]
            text = messages.one(*batch[0], person.lang) if len(batch) == 1 else messages.digest(batch, person.lang)
            hushed = all(person.level(row.kind, row.severity) == SILENT for row, _ in batch)
            buttons = await self._answers(person, batch[0][0]) if len(batch) == 1 else None
            outcome = await self._send(person.chat, text, hushed, buttons)
            if outcome is None:
                await asyncio.to_thread(self._release, ids)
                break
            await self._mark(person, ids, outcome if len(batch) == 1 else "digest", done)
            sent |= set(ids)
        return sent

    async def _claimed(self, group: list[Named]) -> list[Named]:
        """The alerts of a group that are ours to send: claimed now, so that nobody else sends them."""

        def write() -> set[int]:
            with writing(self._engine) as session:
                return alerts.claim(session, self._now(session), [row.id or 0 for row, _ in group], self._claimant)

        ours = await asyncio.to_thread(write)
        return [one for one in group if one[0].id in ours]

    def _release(self, ids: list[int]) -> None:
        with writing(self._engine) as session:
            alerts.release(session, ids, self._claimant)

    def _now(self, session: Session) -> datetime:
        return heartbeats.store_time(session, self._clock.wall_now())  # claims of all messengers by one clock

    async def _say_alive(self) -> None:
        if self._clock.monotonic() - self._said_at < ALIVE_EVERY_S:
            return

        def write() -> None:
            with writing(self._engine) as session:
                heartbeats.say_alive(session, self._now(session), PROGRAM, self._host)

        await asyncio.to_thread(write)
        self._said_at = self._clock.monotonic()

    async def _answers(self, person: Recipient, alert: Alert) -> InlineKeyboardMarkup | None:
        """Yes and no below an entry that asks; each leads to the one-time code of its command."""
        if alert.kind != ASKS or not person.linked:
            return None

        def read() -> int | None:
            with reading(self._engine) as session:
                return proposals.waiting_by_key(session, alert.account_id, alert.dedup_key.partition(":")[2])

        entry = await asyncio.to_thread(read)
        place = 1 if person.lang == "en" else 0
        labelled = [(f"{sign} {MENU[verb][place]}", f"/{verb} {entry}") for sign, verb in ANSWERS]
        return None if entry is None else keyboard(labelled)

    async def _send(self, chat: int, text: str, hushed: bool, buttons: InlineKeyboardMarkup | None) -> str | None:
        """How it went, or None when it must be tried again."""
        try:
            await self._bot.send_message(
                chat, text, parse_mode=ParseMode.HTML, disable_notification=hushed, reply_markup=buttons
            )
        except RetryAfter as error:
            wait = error.retry_after
            await asyncio.sleep(wait.total_seconds() if isinstance(wait, timedelta) else wait)
            return None
        except (BadRequest, Forbidden) as error:
            log("telegram", "chat refused", level="error", chat=chat, why=str(error)[:200])
            return "refused"
        except TelegramError as error:
            log("telegram", "not delivered, will try again", level="warning", why=type(error).__name__)
            return None
        return "sent"

    def _pending(self) -> tuple[list[Named], list[Recipient], set[tuple[int, int]]]:
        with reading(self._engine) as session:
            names = {row.id: row.nickname for row in accounts.live_accounts(session)}
            rows = [(row, names.get(row.account_id, "")) for row in alerts.undelivered(session, limit=200)]
            done = alerts.deliveries(session, [row.id or 0 for row, _ in rows])
            return rows, recipients(session, self._chats, self._lang), done

    async def _mark(self, person: Recipient, ids: list[int], outcome: str, done: set[tuple[int, int]]) -> None:
        def write() -> None:
            with writing(self._engine) as session:
                alerts.note_delivery(session, self._clock.wall_now(), ids, person.chat, outcome)

        await asyncio.to_thread(write)
        done |= {(alert_id, person.chat) for alert_id in ids}

    def _close(self, ids: list[int]) -> None:
        with writing(self._engine) as session:
            for alert_id in ids:
                alerts.mark_delivered(session, alert_id, self._clock.wall_now(), PROGRAM)


def batches(rows: Sequence[Named]) -> list[list[Named]]:
    """Runs of what is not critical and asks nothing become one message when they are many; order is kept."""
    found: list[list[Named]] = []
    run: list[Named] = []
    for row in [*rows, None]:
        if row is not None and row[0].severity != "critical" and row[0].kind != ASKS:
            run.append(row)
            continue
        found += [run] if len(run) >= GROUP_FROM else [[one] for one in run]
        run = []
        if row is not None:
            found.append([row])
    return found
