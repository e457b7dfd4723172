"""Listen to Telegram: long polling with an offset that survives restarts; only the allow-list, private and fresh."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, BotCommand, Message, Update
from telegram.error import BadRequest, Conflict, Forbidden, RetryAfter, TelegramError

from console.services.permissions import Actor
from console.telegram.commands import Asked, Desk, Reply
from console.telegram.keyboard import send
from console.telegram.reads import MENU, text_in
from console.wiring import Wiring
from shared.db import reading, writing
from shared.logs import log
from shared.models import Role
from shared.store import heartbeats
from shared.store.people import telegram_people

OFFSET = "telegram_offset"
FRESH = timedelta(seconds=60)  # an order given a minute ago may be the wrong one now
WAIT_S = 20
CONFLICT_PAUSE_S = 15.0
ERROR_PAUSE_S = 3.0
FAILED = (
    "✗ 명령을 처리하지 못했습니다. 실행되었는지 화면에서 확인하십시오. → var/log/telegram.log",
    "✗ The command failed. Look at the screen whether it was done. → var/log/telegram.log",
)


@dataclass(slots=True)
class _Taken:
    """An update whose command was obeyed; its answer may still have to go out."""

    update_id: int
    chat: int
    reply: Reply | None  # None: nothing (more) to say


class Poller:
    """Reads updates one after the other; each is answered before the offset moves on.

    Telegram repeats an update until the offset moved. What was obeyed is remembered meanwhile, so that an answer that did
    not get out is sent again without doing the deed twice; a chat that takes no answer holds nobody up.
    """

    def __init__(self, wiring: Wiring, bot: Bot, *, wait_s: int = WAIT_S, pause_s: float = CONFLICT_PAUSE_S) -> None:
        self._wiring, self._bot, self._wait_s, self._pause_s = wiring, bot, wait_s, pause_s
        self._desk = Desk(wiring)
        self._taken: _Taken | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until told to stop. A second process on the same token is named, not fought."""
        await self._offer()
        while not stop.is_set():
            pause = await self.once()
            if pause:
                try:
                    await asyncio.wait_for(stop.wait(), pause)
                except TimeoutError:
                    continue

    async def _offer(self) -> None:
        """Tell Telegram our commands, so that a phone offers them while typing."""
        try:
            for place, lang in enumerate(("ko", "en")):
                offered = [BotCommand(name, words[place]) for name, words in MENU.items()]
                await self._bot.set_my_commands(offered, language_code="" if lang == "en" else lang)
        except TelegramError as error:
            log("telegram", "commands not offered", level="warning", why=type(error).__name__)

    async def once(self) -> float:
        """One long poll and its answers; return how long to pause."""
        try:
            offset = await asyncio.to_thread(self._offset)
            updates = await self._bot.get_updates(
                offset=offset,
                timeout=self._wait_s,
                allowed_updates=["message", "callback_query"],
                read_timeout=self._wait_s + 10,
            )
            for update in updates:
                await self._take(update)
                await asyncio.to_thread(self._keep, update.update_id + 1)
        except Conflict:
            now = "stop the other program that uses this token, or make another bot"
            log("telegram", "another program polls with our token", level="error", now=now)
            return self._pause_s
        except RetryAfter as error:
            wait = error.retry_after
            return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
        except (TelegramError, SQLAlchemyError) as error:
            log("telegram", "no updates, will try again", level="warning", why=type(error).__name__)
            return ERROR_PAUSE_S
        return 0.0

    async def _take(self, update: Update) -> None:
        if self._taken is None or self._taken.update_id != update.update_id:
            chat, reply = await self._obey(update)
            self._taken = _Taken(update.update_id, chat, reply)
        if self._taken.reply is None:
            return
        try:
            await send(self._bot, self._taken.chat, self._taken.reply)
        except (BadRequest, Forbidden) as error:  # it will never take this; the next person waits
            log("telegram", "answer refused", level="error", chat=self._taken.chat, why=str(error)[:200])
        self._taken.reply = None

    async def _obey(self, update: Update) -> tuple[int, Reply | None]:
        """Do what an update asks, when who asks may; the chat and what to answer there."""
        message, text, sent_at = _read(update)
        person = update.effective_user
        if message is None or person is None or message.chat.type != "private" or person.is_bot:
            return 0, None
        actor = await asyncio.to_thread(self._actor, person.id)
        if actor is None:
            log("telegram", "a stranger wrote", level="warning", telegram_id=person.id)
            return 0, None
        now = self._wiring.clock.wall_now()
        if sent_at is not None and now - sent_at > FRESH:
            log("telegram", "too old, dropped", telegram_id=person.id, age_s=int((now - sent_at).total_seconds()))
            return 0, None
        if update.callback_query is not None and not await self._still_pressed(update.callback_query.id):
            log("telegram", "too old, dropped", telegram_id=person.id, button=text[:40])
            return 0, None
        asked = Asked(text, f"tg:{update.update_id}")
        try:
            return message.chat.id, await asyncio.to_thread(self._desk.answer, actor, asked)
        except SQLAlchemyError:
            raise  # the store is away: asked again when it is back
        except Exception as error:  # noqa: BLE001  (the edge: one message that breaks us must not deafen the desk)
            log("telegram", "a command failed", level="error", update=update.update_id, why=type(error).__name__)
            return message.chat.id, Reply(text_in(actor, *FAILED))

    async def _still_pressed(self, query_id: str) -> bool:
        """Stop the button's waiting. False when Telegram says that it was pressed too long ago: it tells no time of it."""
        try:
            await self._bot.answer_callback_query(query_id)
        except BadRequest:
            return False
        return True

    def _actor(self, telegram_id: int) -> Actor | None:
        """Who the Telegram user is on the desk now; None for a stranger."""
        with reading(self._wiring.engine) as session:
            for link, user in telegram_people(session):
                if link.telegram_id == telegram_id and user.id is not None:
                    lang = user.lang or self._wiring.settings.lang
                    return Actor(user.id, Role(user.role), "telegram", user.email, lang)
        return None

    def _offset(self) -> int | None:
        with reading(self._wiring.engine) as session:
            kept = heartbeats.fact(session, OFFSET)
        return None if kept is None else int(kept)

    def _keep(self, offset: int) -> None:
        with writing(self._wiring.engine) as session:
            heartbeats.set_fact(session, OFFSET, str(offset))


def _read(update: Update):  # type: ignore[no-untyped-def]
    """(message, what was said, when). A button carries its command; Telegram tells no time of the press."""
    query = update.callback_query
    if query is not None:
        said = query.data or ""
        return (query.message if isinstance(query.message, Message) else None), said, None
    message = update.message
    return message, (message.text or "" if message else ""), (message.date if message else None)
