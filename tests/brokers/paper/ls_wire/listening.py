"""One client on the stream: what it registers and waits for, while the market plays."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.brokers.paper.ls_wire.bench import Bench


@asynccontextmanager
async def playing(bench: Bench) -> AsyncIterator[None]:
    """Let the market run while inside."""

    async def play() -> None:
        while True:
            bench.exchange.advance()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(play())
    try:
        yield
    finally:
        task.cancel()


async def register(
    socket: ClientWebSocketResponse, token: str, tr: str, key: str = "", kind: str | None = None
) -> dict[str, Any]:
    kind = kind or ("1" if tr.startswith("SC") else "3")
    await socket.send_json({"header": {"token": token, "tr_type": kind}, "body": {"tr_cd": tr, "tr_key": key}})
    return await hear(socket, lambda frame: "rsp_cd" in frame["header"])


async def hear(socket: ClientWebSocketResponse, wanted: Any, seconds: float = 120.0) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        while True:
            message = await socket.receive()
            assert message.type is WSMsgType.TEXT, message
            frame: dict[str, Any] = json.loads(message.data)
            if wanted(frame):
                return frame


def pushed(tr: str) -> Any:
    return lambda frame: "rsp_cd" not in frame["header"] and frame["header"]["tr_cd"] == tr
