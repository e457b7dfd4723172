"""Send a reply: text in Telegram's HTML, buttons that carry commands, a picture."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import BadRequest

from console.telegram.messages import CAPTION
from console.telegram.reads import Reply
from shared.logs import log

PER_ROW = 3
DATA_MAX = 64  # bytes of a button's data


async def send(bot: Bot, chat: int, reply: Reply) -> None:
    """Deliver one reply, with its picture as one message where the text fits under it.

    A text that Telegram cannot read as HTML is sent plain; a picture that it does not take is left out.
    """
    markup = keyboard(reply.buttons)
    if reply.picture is not None:
        under = len(reply.text) <= CAPTION
        try:
            await bot.send_photo(
                chat, reply.picture, caption=reply.text if under else reply.title or None,
                parse_mode=ParseMode.HTML if under else None, reply_markup=markup if under else None,
            )  # fmt: skip
        except BadRequest as error:
            log("telegram", "picture refused, left out", level="error", why=str(error)[:200])
        else:
            if under:
                return
    try:
        await bot.send_message(chat, reply.text, parse_mode=ParseMode.HTML, reply_markup=markup)
    except BadRequest as error:
        log("telegram", "reply refused, sent plain", level="error", why=str(error)[:200])
        await bot.send_message(chat, reply.text, reply_markup=markup)


def keyboard(labelled: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    """Rows of buttons from (label, command); a command that is too long for a button is left out."""
    buttons = [
        InlineKeyboardButton(label[:40], callback_data=command)
        for label, command in labelled
        if len(command.encode()) <= DATA_MAX
    ]
    rows = [buttons[start : start + PER_ROW] for start in range(0, len(buttons), PER_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None
