"""A Bot API server on loopback: long polling with offset, 429 with retry_after, 409 for a second poller, HTML limits."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "1234567:TESTTOKENTESTTOKENTESTTOKENTESTTOK"
_TAG = re.compile(r"</?(b|i|u|s|code|pre)>")


@dataclass
class BotApi:
    sent: list[dict[str, Any]] = field(default_factory=list)
    photos: list[dict[str, Any]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)  # given once each, before normal answers
    updates: list[dict[str, Any]] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)  # callback queries that were answered
    polls: list[web.Response] = field(default_factory=list)  # the same for getUpdates
    old: set[str] = field(default_factory=set)  # callback queries that Telegram says are too old
    blocked: set[int] = field(default_factory=set)  # chats that blocked the bot
    polling: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "getMe":
            return _ok({"id": 1234567, "is_bot": True, "first_name": "desk", "username": "desk_bot"})
        if method == "getUpdates":
            if self.polls:
                return self.polls.pop(0)
            return await self._get_updates(dict(await request.post()))
        if method == "setMyCommands":
            return _ok(True)
        if self.answers:
            return self.answers.pop(0)
        form = dict(await request.post())
        if method == "answerCallbackQuery":
            if str(form["callback_query_id"]) in self.old:
                return refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
            self.pressed.append(str(form["callback_query_id"]))
            return _ok(True)
        if int(str(form["chat_id"])) in self.blocked:
            return refusal(403, "Forbidden: bot was blocked by the user")
        chat = {"id": int(str(form["chat_id"])), "type": "private", "first_name": "person"}
        if method == "sendPhoto":
            why = refused(str(form.get("caption", "x")), str(form.get("parse_mode", "")), most=1024)
            if why:
                return refusal(400, f"Bad Request: {why}")
            self.photos.append(form)
            return _ok({"message_id": 1, "date": 0, "chat": chat})
        why = refused(str(form["text"]), str(form.get("parse_mode", "")))
        if why:
            return refusal(400, f"Bad Request: {why}")
        self.sent.append(form)
        return _ok({"message_id": len(self.sent), "date": 0, "chat": chat, "text": form["text"]})

    async def _get_updates(self, form: dict[str, Any]) -> web.Response:
        if self.polling:
            return conflict()
        offset, self.polling = int(form.get("offset", 0)), self.polling + 1
        try:
            deadline = time.monotonic() + min(int(form.get("timeout", 0)), 2)
            while not (found := [one for one in self.updates if one["update_id"] >= offset]):
                if time.monotonic() >= deadline:
                    break
                await asyncio.sleep(0.02)
            self.updates = [one for one in self.updates if one["update_id"] >= offset]  # confirmed ones are gone
            return _ok(found)
        finally:
            self.polling -= 1

    def says(self, text: str, *, who: int = 42, chat: str = "private", age_s: int = 0, number: int = 0) -> None:
        """Somebody writes to the bot."""
        person = {"id": who, "is_bot": False, "first_name": "P"}
        message = {
            "message_id": 1,
            "date": int(time.time()) - age_s,
            "chat": {"id": who if chat == "private" else -100, "type": chat},
            "from": person,
            "text": text,
        }
        self.updates.append({"update_id": number or 1 + len(self.updates) + 1000, "message": message})

    def presses(self, data: str, *, who: int = 42, number: int) -> None:
        """Somebody presses a button."""
        person = {"id": who, "is_bot": False, "first_name": "P"}
        message = {"message_id": 1, "date": 1, "chat": {"id": who, "type": "private"}, "text": "x"}
        query = {"id": f"q{number}", "from": person, "chat_instance": "1", "data": data, "message": message}
        self.updates.append({"update_id": number, "callback_query": query})


def refused(text: str, mode: str, most: int = 4096) -> str:
    """Why Telegram would refuse the text; "" when it would not."""
    if not text.strip():
        return "message text is empty"
    if len(re.sub(r"<[^>]*>", "", text)) > most:
        return "message is too long"
    if mode == "HTML":
        rest = _TAG.sub("", text)
        if "<" in rest or ">" in rest or re.search(r"&(?!(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)", rest):
            return "can't parse entities"
        if len(re.findall(r"<(?:b|code)>", text)) != len(re.findall(r"</(?:b|code)>", text)):
            return "can't parse entities: unclosed tag"
    return ""


def refusal(code: int, why: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": code, "description": why}, status=code)


def conflict() -> web.Response:
    return refusal(409, "Conflict: terminated by other getUpdates request")


def too_many(seconds: int) -> web.Response:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": seconds}}
    return web.json_response(body, status=429)


def _ok(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


@asynccontextmanager
async def bot_api() -> AsyncIterator[BotApi]:
    api = BotApi()
    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", api.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()
