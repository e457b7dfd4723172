"""`telegram`: from BotFather to the first message, and a test of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson, tell
from console.services import telegram_links
from console.telegram.recipients import recipients
from shared.config import Settings
from shared.db import reading
from shared.domain.errors import ConfigError, TradingError

app = typer.Typer(help="텔레그램 · Telegram", no_args_is_help=True)

STEPS = (
    "1. 텔레그램에서 @BotFather 에게 /newbot → 이름과 아이디 → 토큰 · talk to @BotFather: /newbot → token",
    "2. 토큰을 .env 의 TELEGRAM_BOT_TOKEN= 뒤에 (명령줄에 쓰지 마십시오) · put it into .env, never on a command line",
    "3. 만든 봇에게 /start 를 보내고 이 명령을 다시 실행 · write /start to your bot, then run this again",
    "4. letstrade telegram setup --user 이메일 --id 번호 · link your Telegram id to your user",
)


@app.command()
def setup(
    user: Annotated[str, typer.Option(help="데스크 사용자 · user of the desk: id or email")] = "",
    telegram_id: Annotated[int, typer.Option("--id", help="텔레그램 사용자 번호 · Telegram user id")] = 0,
    quiet: Annotated[str, typer.Option(help="조용한 시간 · quiet hours, 23:00-07:00")] = "",
    report_at: Annotated[str, typer.Option(help="일일 보고 시각 · time of the daily report, 16:00")] = "",
    level: Annotated[list[str] | None, typer.Option(help="FILL=off, info=silent, warning=loud; repeat")] = None,
    as_json: AsJson = False,
) -> None:
    """봇을 만들고 사람을 잇습니다 · Make the bot and link a person; says what the next step is."""
    desk = open_desk()
    settings = desk.wiring.settings
    bot_name = None if settings.telegram_token is None else asyncio.run(_name(settings))
    linked = None
    if user and telegram_id:
        wishes = telegram_links.Wishes(quiet, report_at, tuple(level or ()))
        telegram_links.link(desk.wiring, desk.actor, user, telegram_id, wishes)
        linked = telegram_id
    elif user or telegram_id:
        raise typer.BadParameter("--user and --id together")
    if linked is None and not as_json:
        for step in STEPS:
            tell(step)
    output.show({"bot": bot_name, "linked": linked, "people": telegram_links.count(desk.wiring)}, as_json)


@app.command()
def test(as_json: AsJson = False) -> int:
    """연결된 모두에게 시험 메시지를 보냅니다 · Send a test message to everybody who is linked."""
    desk = open_desk()
    settings = desk.wiring.settings
    if settings.telegram_token is None:
        raise ConfigError("TELEGRAM_BOT_TOKEN is not set", "", "letstrade telegram setup")
    with reading(desk.wiring.engine) as session:
        listed = [part for part in (settings.telegram_chat_ids or "").split(",") if part.strip().isdigit()]
        people = recipients(session, tuple(int(part) for part in listed), settings.lang)
    rows = asyncio.run(_greet(settings, [one.chat for one in people]))
    output.show(output.listing(rows, desk.now), as_json)
    return output.DONE if rows and all(row["delivered"] for row in rows) else output.FAILED


def _bot(settings: Settings) -> Bot:
    base = settings.telegram_api_base
    token = settings.telegram_token or ""
    return Bot(token) if not base else Bot(token, base_url=base.rstrip("/") + "/bot")


async def _name(settings: Settings) -> str:
    try:
        async with _bot(settings) as bot:
            return str((await bot.get_me()).username)
    except InvalidToken:
        raise ConfigError("텔레그램이 토큰을 거부했습니다 · the token is refused", "", STEPS[1]) from None
    except TelegramError as error:
        raise TradingError(
            "텔레그램에 닿지 못했습니다 · Telegram cannot be reached", type(error).__name__, "letstrade telegram test"
        ) from None


async def _greet(settings: Settings, chats: list[int]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    async with _bot(settings) as bot:
        for chat in chats:
            try:
                await bot.send_message(chat, "✅ LetsTrade: 시험 메시지 · test message")
                rows.append({"telegram_id": chat, "delivered": True, "why": ""})
            except TelegramError as error:
                rows.append({"telegram_id": chat, "delivered": False, "why": error.message[:200]})
    return rows
