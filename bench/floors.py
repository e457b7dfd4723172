"""`python -m bench.floors echo PORT | push PORT SOCKETS`: bare aiohttp servers, the floors of bench/exchange.py."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

ANSWER = b'{"rt_cd":"0","msg_cd":"APBK0013","msg1":"' + b"x" * 60 + b'","output":{"ODNO":"0030001000"}}'
FRAME = "0|HDFSCNT0|001|" + "^".join(["12345.67"] * 26)  # as long as a US trade


async def echo(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


async def push(request: web.Request) -> web.StreamResponse:
    if request.path == "/up":
        return web.Response()
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    while not socket.closed:
        for _ in range(20):  # as many as one step of the exchange's tape brings
            await socket.send_str(FRAME)
        await asyncio.sleep(0)
    return socket


def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo if sys.argv[1] == "echo" else push)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)


if __name__ == "__main__":
    main()
