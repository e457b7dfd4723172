"""A Bot API server on loopback: answers getMe and sendMessage as Telegram does, 429 with retry_after included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "1234567:TESTTOKENTESTTOKENTESTTOKENTESTTOK"


@dataclass
class BotApi:
    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)  # given once each, before normal answers
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        if request.match_info["method"] == "getMe":
            user = {"id": 1234567, "is_bot": True, "first_name": "desk", "username": "desk_bot"}
            return web.json_response({"ok": True, "result": user})
        if self.answers:
            return self.answers.pop(0)
        form = dict(await request.post())
        self.sent.append(form)
        chat = {"id": int(form["chat_id"]), "type": "private", "first_name": "person"}
        message = {"message_id": len(self.sent), "date": 0, "chat": chat, "text": form["text"]}
        return web.json_response({"ok": True, "result": message})


def too_many(seconds: int) -> web.Response:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": seconds}}
    return web.json_response(body, status=429)


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
