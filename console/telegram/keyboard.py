"""Send a reply: text in Telegram's HTML, buttons that carry commands, a picture."""

from __future__ import annotations

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import BadRequest

from console.telegram.commands import Reply
from shared.logs import log

PER_ROW = 3
DATA_MAX = 64  # bytes of a button's data


async def send(bot: Bot, chat: int, reply: Reply) -> None:
    """Deliver one reply; a text that Telegram cannot read as HTML is sent plain."""
    markup = keyboard(reply)
    if reply.picture is not None:
        await bot.send_photo(chat, reply.picture, caption=reply.title or None)
    try:
        await bot.send_message(chat, reply.text, parse_mode=ParseMode.HTML, reply_markup=markup)
    except BadRequest as error:
        log("telegram", "reply refused, sent plain", level="error", why=str(error)[:200])
        await bot.send_message(chat, reply.text, reply_markup=markup)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    buttons = [
        InlineKeyboardButton(label[:40], callback_data=command)
        for label, command in reply.buttons
        if len(command.encode()) <= DATA_MAX
    ]
    rows = [buttons[start : start + PER_ROW] for start in range(0, len(buttons), PER_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None
