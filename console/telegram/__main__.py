"""The `telegram` program: `python -m console.telegram`. Without a token it says so and ends."""

from __future__ import annotations

import asyncio
import signal

from sqlalchemy.exc import SQLAlchemyError
from telegram.ext import AIORateLimiter, ApplicationBuilder

from console.telegram.notifier import POLL_S, Notifier
from shared import schema
from shared.clock import SystemClock
from shared.config import Settings, load_settings
from shared.db import open_engine
from shared.domain.errors import ConfigError
from shared.logs import configure, log

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


async def serve(settings: Settings, token: str, chats: tuple[int, ...]) -> None:
    """Deliver until SIGTERM."""
    builder = ApplicationBuilder().token(token).rate_limiter(AIORateLimiter(max_retries=0))
    if settings.telegram_api_base:
        builder = builder.base_url(settings.telegram_api_base.rstrip("/") + "/bot")
    engine = open_engine(settings.database_url, pool_size=1)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = builder.build()
    async with application.bot as bot:
        notifier = Notifier(engine, SystemClock(), bot, chats, settings.lang)
        while not stop.is_set():
            try:
                await notifier.deliver_pending()
            except SQLAlchemyError as error:
                log("telegram", "store away", level="warning", why=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), POLL_S)
            except TimeoutError:
                continue
    engine.dispose()


def main() -> int:
    """0 when there is nothing to do or on request, 78 when the settings must be mended."""
    configure("telegram")
    try:
        settings = load_settings()
        if settings.telegram_token is None:
            log("telegram", "no TELEGRAM_BOT_TOKEN: alerts stay on the screen")
            return 0
        chats = chats_of(settings)
        if not chats:
            raise ConfigError(
                "nobody would hear the alerts", "TELEGRAM_CHAT_IDS is empty", "write your Telegram user id into .env"
            )
        schema.require_current(open_engine(settings.database_url, pool_size=1))
    except ConfigError as error:
        log("telegram", "refused", level="error", what=error.what, why=error.why, now=error.now)
        return EXIT_CONFIG
    asyncio.run(serve(settings, settings.telegram_token, chats))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
