"""The `telegram` program: `python -m console.telegram`. Without a token it says so and ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot
from telegram.ext import AIORateLimiter, ApplicationBuilder

from console.cloud.changes import Changes
from console.telegram.daily_report import DailyReports
from console.telegram.notifier import POLL_S, Notifier
from console.telegram.poller import Poller
from console.wiring import Wiring, wire
from shared import schema
from shared.config import Settings, load_settings
from shared.db import reading
from shared.domain.errors import ConfigError
from shared.logs import configure, log
from shared.store.people import telegram_people

EXIT_CONFIG = 78


def chats_of(settings: Settings) -> tuple[int, ...]:
    """TELEGRAM_CHAT_IDS: the user ids that may hear from us, separated by commas."""
    try:
        return tuple(int(part) for part in (settings.telegram_chat_ids or "").split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            "TELEGRAM_CHAT_IDS cannot be used",
            "it is not a list of numbers",
            "write your user id, for example 123456789",
        ) from error


async def serve(wiring: Wiring, token: str, chats: tuple[int, ...]) -> None:
    """Deliver and listen until SIGTERM."""
    settings = wiring.settings
    builder = ApplicationBuilder().token(token).rate_limiter(AIORateLimiter(max_retries=0))
    if settings.telegram_api_base:
        builder = builder.base_url(settings.telegram_api_base.rstrip("/") + "/bot")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = builder.get_updates_pool_timeout(5).build()
    async with application.bot as bot:
        woken = asyncio.Event()
        changes = Changes(settings, ("alerts",), woken.set)
        beside = [asyncio.create_task(Poller(wiring, bot).run(stop)), asyncio.create_task(changes.run(stop))]
        try:
            await _deliver(wiring, bot, chats, stop, woken)
        finally:
            for task in beside:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    wiring.engine.dispose()


async def _deliver(wiring: Wiring, bot: Bot, chats: tuple[int, ...], stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Each second, and at once when Realtime says that an alert was written."""
    notifier = Notifier(wiring.engine, wiring.clock, bot, chats, wiring.settings.lang)
    reports = DailyReports(wiring, bot)
    while not stop.is_set():
        woken.clear()  # before the look: what is written during it wakes us again
        try:
            await notifier.deliver_pending()
            await reports.send_due()
        except SQLAlchemyError as error:
            log("telegram", "store away", level="warning", why=type(error).__name__)
        waits = [asyncio.ensure_future(one.wait()) for one in (stop, woken)]
        await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()


def main() -> int:
    """0 when there is nothing to do or on request, 78 when the settings must be mended."""
    configure("telegram")
    try:
        settings = load_settings()
        if settings.telegram_token is None:
            log("telegram", "no TELEGRAM_BOT_TOKEN: alerts stay on the screen")
            return 0
        chats = chats_of(settings)
        wired = wire(settings)
        schema.require_current(wired.engine)
        if not chats and not _anybody(wired):
            raise ConfigError(
                "nobody would hear the alerts",
                "TELEGRAM_CHAT_IDS is empty and nobody is linked",
                "letstrade telegram setup, or write your Telegram user id into .env",
            )
    except ConfigError as error:
        log("telegram", "refused", level="error", what=error.what, why=error.why, now=error.now)
        return EXIT_CONFIG
    asyncio.run(serve(wired, settings.telegram_token, chats))
    return 0


def _anybody(wiring: Wiring) -> bool:
    with reading(wiring.engine) as session:
        return bool(telegram_people(session))


if __name__ == "__main__":
    raise SystemExit(main())
