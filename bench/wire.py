"""Loopback tick → order, wire to wire: our stream and our door against the compiled floor (performance.md B2, B4).

A process of its own plays the broker: it stamps a tick just before writing it and again when the order's last byte is in.
One tick in flight, two milliseconds between them. The order carries the KIS header set (~900 bytes); no journal, no
hashkey, no pacing: what is measured is the road from bytes to bytes.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from statistics import median
from typing import Any
from urllib.request import urlopen

import orjson

from brokers.http import Answer, Call, Door, HostList, Mask
from brokers.kis import tr
from brokers.kis.stream import KisStream
from brokers.pacing import Pace, Pacer, Priority
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.market import Tick

PORT = 18990
TICKS, RUNS, GAP_S = 1500, 5, 0.002
PATIENCE = tr.SIM_PATIENCE
FRAME = (
    "0|HDFSCNT0|001|DNASAAPL^AAPL^4^20260105^20260105^093000^20260105^233000^211.2000^211.9000^211.0000^%s^2^0.3000^"
    "0.14^211.4900^211.5100^10^20^12^123456^26000000^1^2^98.10^1"
)
BODY = {
    "CANO": "12345678", "ACNT_PRDT_CD": "01", "OVRS_EXCG_CD": "NASD", "PDNO": "AAPL", "ORD_QTY": "10",
    "OVRS_ORD_UNPR": "211.50", "ORD_SVR_DVSN_CD": "0", "ORD_DVSN": "00",
}  # fmt: skip
HEADERS = {
    "content-type": "application/json; charset=utf-8", "authorization": "Bearer " + "x" * 340, "appkey": "P" * 36,
    "appsecret": "s" * 180, "tr_id": "TTTT1002U", "custtype": "P", "hashkey": "h" * 64,
}  # fmt: skip
REPLY = (
    b'{"rt_cd":"0","msg_cd":"APBK0013","msg1":"ok",'
    b'"output":{"KRX_FWDG_ORD_ORGNO":"01790","ODNO":"0000117057","ORD_TMD":"121052"}}'
)
UPGRADED = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"


class Exchange(asyncio.Protocol):
    """One connection of the broker's side; the stopwatch is the class's: one exchange a process."""

    waits: list[int] = []  # noqa: RUF012
    stream: asyncio.Transport | None = None
    sent_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._buffer, self._upgraded = transport, b"", False

    def data_received(self, data: bytes) -> None:
        if self._upgraded:
            if data[0] & 15 == 1 and not Exchange.sent_at:  # the registration starts the ticks
                asyncio.get_running_loop().call_later(0.05, self.tick)
            return
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            headers = dict(line.lower().partition(b": ")[::2] for line in self._buffer[:end].split(b"\r\n"))
            whole = end + 4 + int(headers.get(b"content-length", 0))
            if len(self._buffer) < whole:
                return
            request, self._buffer = self._buffer[:end], self._buffer[whole:]
            self.answer(request)

    def answer(self, request: bytes) -> None:
        if request.startswith(b"POST"):
            Exchange.waits.append(time.monotonic_ns() - Exchange.sent_at)
            self._reply(REPLY)
            asyncio.get_running_loop().call_later(GAP_S, self.tick)
        elif b"upgrade" in request.lower():
            lines = (line.partition(b": ") for line in request.split(b"\r\n"))
            key = next(value for name, _, value in lines if name.lower() == b"sec-websocket-key")
            token = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            self._transport.write(UPGRADED % token)
            self._upgraded, Exchange.stream = True, self._transport
        else:  # GET: tell and forget
            self._reply(json.dumps(Exchange.waits).encode())
            Exchange.waits, Exchange.sent_at = [], 0

    def tick(self) -> None:
        if Exchange.stream is None or Exchange.stream.is_closing() or len(Exchange.waits) >= TICKS:
            return
        payload = (FRAME % f"211.{len(Exchange.waits) % 90 + 10}00").encode()
        Exchange.sent_at = time.monotonic_ns()
        Exchange.stream.write(b"\x81\x7e" + struct.pack(">H", len(payload)) + payload)

    def _reply(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


async def serve() -> None:
    await asyncio.get_running_loop().create_server(Exchange, "127.0.0.1", PORT)
    print("ready", flush=True)
    await asyncio.sleep(900)


# -- clients: each runs until the last order is answered -----------------------------------------------------------------


class NoAuth:
    async def approval_key(self) -> str:
        return "a" * 36


async def ours() -> None:
    """KisStream → tick → Door.send_once, as a bot's adapter does it."""
    clock = SystemClock()
    rest, stream = ("http", "127.0.0.1", PORT), ("ws", "127.0.0.1", PORT)
    hosts = HostList(tr.KIS, Environment.SIM, frozenset({rest, stream}))
    site = tr.Site(
        Environment.SIM, f"http://127.0.0.1:{PORT}", f"ws://127.0.0.1:{PORT}/x", False, Pace(10**6), PATIENCE, hosts
    )
    door = Door(tr.KIS, hosts, Pacer(tr.KIS, site.pace, clock), clock, judge, Mask([], []), None)
    done, count, running = asyncio.Event(), 0, set[asyncio.Task[None]]()

    async def order(tick: Tick) -> None:
        nonlocal count
        body = orjson.dumps({**BODY, "OVRS_ORD_UNPR": str(tick.price)})
        call = Call("TTTT1002U", "POST", f"{site.rest}/order", HEADERS, body=body, priority=Priority.ENTRY)
        (await door.send_once(call)).json(tr.KIS)
        count += 1
        if count == TICKS:
            done.set()

    def on_tick(tick: Tick) -> None:
        task = asyncio.get_running_loop().create_task(order(tick))
        running.add(task)
        task.add_done_callback(running.discard)

    line = KisStream(site, clock, NoAuth(), None, "12345678", lambda event: None)  # type: ignore[arg-type]
    line.on_tick(on_tick)
    await line.subscribe((tr.US_TICKS, "DNASAAPL"))
    line.connect()
    await done.wait()
    await line.close()
    await door.close()


def judge(answer: Answer, order: bool) -> None:
    """A success, always: the exchange here refuses nothing."""


async def floor() -> None:
    """picows and prebuilt bytes on a bare protocol: what the machine can do."""
    import picows

    loop = asyncio.get_running_loop()
    done, count = asyncio.Event(), 0
    head = b"POST /order HTTP/1.1\r\nHost: x\r\n%b" % b"".join(
        f"{name}: {value}\r\n".encode() for name, value in HEADERS.items()
    )

    class Replies(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            nonlocal count
            orjson.loads(data[data.find(b"\r\n\r\n") + 4 :])
            count += 1
            if count == TICKS:
                done.set()

    sink, _ = await loop.create_connection(Replies, "127.0.0.1", PORT)

    class Ticks(picows.WSListener):  # type: ignore[misc, name-defined]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            price = frame.get_payload_as_ascii_text().split("^", 12)[11]
            body = orjson.dumps({**BODY, "OVRS_ORD_UNPR": price})
            sink.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))

    transport, _ = await picows.ws_connect(Ticks, f"ws://127.0.0.1:{PORT}/x")
    transport.send(picows.WSMsgType.TEXT, b"register")
    await done.wait()
    transport.disconnect()
    sink.close()


# -- the run -------------------------------------------------------------------------------------------------------------

Runner = Callable[[Coroutine[Any, Any, None]], None]


def run() -> None:
    cases: list[tuple[str, Callable[[], Awaitable[None]]]] = [("ours: websockets + httpx + own transport", ours)]
    try:
        import picows  # noqa: F401
    except ImportError:
        print("picows is not installed: no floor in this run (pip install picows)")
    else:
        cases.append(("floor: picows + prebuilt bytes", floor))
    cores = sorted(os.sched_getaffinity(0))
    broker = subprocess.Popen([sys.executable, "-m", "bench.wire"], stdout=subprocess.PIPE, text=True)
    assert broker.stdout is not None
    try:
        broker.stdout.readline()
        os.sched_setaffinity(broker.pid, {cores[-1]})
        os.sched_setaffinity(0, {cores[0]})
        found = {name: [_once(client) for _ in range(RUNS)] for name, client in cases}
    finally:
        os.sched_setaffinity(0, cores)
        broker.kill()
        broker.wait()
    _show(found)


def _once(client: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    """(p50 µs, p99 µs, client CPU µs per tick and order) of one run."""

    async def whole() -> None:
        await asyncio.wait_for(client(), 90)

    gc.collect()
    before = time.process_time()
    asyncio.run(whole())
    cpu = (time.process_time() - before) / TICKS * 1e6
    with urlopen(f"http://127.0.0.1:{PORT}/waits", timeout=5) as answer:
        waits = sorted(json.load(answer)[100:])
    return median(waits) / 1e3, waits[int(len(waits) * 0.99)] / 1e3, cpu


def _show(found: dict[str, list[tuple[float, float, float]]]) -> None:
    print(f"tick → order on loopback, µs; median [min … max] of {RUNS} runs × {TICKS} ticks")
    for name, runs in found.items():
        p50, p99, cpu = ([run[at] for run in runs] for at in range(3))
        told = (f"{median(one):6.0f} [{min(one):.0f} … {max(one):.0f}]" for one in (p50, p99, cpu))
        print("  {:42s} p50 {}   p99 {}   CPU {}".format(name, *told))
    if len(found) == 2:
        mine, least = found.values()
        ratios = sorted(a[0] / b[0] for a, b in zip(mine, least, strict=True))
        print(f"  p50 ratio to the floor (goal 4, aim 2): {median(ratios):.1f} [{ratios[0]:.1f} … {ratios[-1]:.1f}]")


if __name__ == "__main__":
    asyncio.run(serve())
