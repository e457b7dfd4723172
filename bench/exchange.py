"""The local exchange's figures: orders a second over real HTTP, ticks pushed a second over real WebSockets. Ports + 6000.

Each figure stands beside a floor measured in the same run with the same clients: a bare aiohttp server that answers
(or pushes) the same number of bytes and does nothing else. The clients are raw sockets in this process, so that on two
cores the server gets one of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.first_light import show
from brokers.paper.server import PORTS
from shared.config import ROOT

OFFSET = 6000
ORDER_PATH = "/uapi/overseas-stock/v1/trading/order"
CONNECTIONS = 16
ROUNDS, ROUND_S = 5, 2.0
SYMBOLS = {  # US shares, all of them in session: symbol -> a price to begin from
    "AAPL": 200, "MSFT": 400, "NVDA": 130, "TSLA": 300, "AMZN": 190, "GOOG": 170, "META": 580, "NFLX": 900, "AMD": 150,
    "INTC": 30,
}  # fmt: skip
SPEED = 600  # market seconds a second: ten minute bars of four prints each, for each symbol, every second
OFFERED = len(SYMBOLS) * SPEED / 60 * 4  # prints a second


def run() -> None:
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median [min … max] of n")
    asyncio.run(_orders())
    for sockets in (60, 120):
        asyncio.run(_pushes(sockets))


# -- the servers


class Server:
    """A child process that listens; ended by its own id."""

    def __init__(self, *words: str, home: Path | None = None) -> None:
        env = {**os.environ, **({"LETSTRADE_HOME": str(home)} if home else {})}
        self.child = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def up(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(600):
                try:
                    await client.get(url)
                    return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        raise TimeoutError(url)

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.child.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.child.kill()  # nothing of it is needed any more
        self.child.wait(30)


def _port(name: str) -> int:
    return PORTS[name] + OFFSET


def _admin(path: str) -> str:
    return f"http://127.0.0.1:{_port('admin')}{path}"


# -- orders


async def _orders() -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        server = Server(
            "-m", "brokers.paper", "--port-offset", str(OFFSET), "--tape", "synthetic:7", "--cash",
            "USD=1000000000000,KRW=1000000000000", home=Path(folder),
        )  # fmt: skip
        try:
            await server.up(_admin("/healthz"))
            token = await _token()
            requests = [_order(token, f"1234{i:04d}") for i in range(CONNECTIONS)]
            rates, cpu = await _rounds(_port("kis_rest_live"), requests, server)
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                kept = (await client.get(_admin("/ledger?type=ORDER"))).json()["events"]
                filled = (await client.get(_admin("/ledger?type=FILL"))).json()["events"]
        finally:
            server.stop()
    floor = await _echo_floor(requests)
    show(f"orders over {CONNECTIONS} connections (goal 500)", rates, "orders/s")
    show("  server CPU per order", cpu, "ms")
    show("  a bare aiohttp echo, same run", floor, "requests/s")
    show("  one synced append to this disk, same run (shared by orders of one turn)", _disk_floor(), "ms")
    print(f"  ratio to it {median(rates) / median(floor):.2f}; in the ledger {len(kept)} orders, {len(filled)} fills")


async def _token() -> str:
    keys = {"grant_type": "client_credentials", "appkey": "key", "appsecret": "secret"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{_port('kis_rest_live')}/oauth2/tokenP", json=keys)
        return str(answer.json()["access_token"])


def _order(token: str, cano: str) -> bytes:
    """A marketable order as bytes on the wire, with the headers a KIS client sends."""
    body = json.dumps({
        "CANO": cano, "ACNT_PRDT_CD": "01", "OVRS_EXCG_CD": "NASD", "PDNO": "AAPL", "ORD_QTY": "1",
        "OVRS_ORD_UNPR": "230.00", "ORD_SVR_DVSN_CD": "0", "ORD_DVSN": "00",
    })  # fmt: skip
    return _post(ORDER_PATH, body, {"authorization": f"Bearer {token}", "tr_id": "TTTT1002U"})


def _post(path: str, body: str, headers: dict[str, str]) -> bytes:
    whole = {
        "Host": "127.0.0.1", "content-type": "application/json; charset=utf-8", "appkey": "key", "appsecret": "secret",
        "custtype": "P", "hashkey": "0" * 64, "Content-Length": str(len(body)), **headers,
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in whole.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n{body}".encode()


async def _rounds(port: int, requests: list[bytes], server: Server) -> tuple[list[float], list[float]]:
    """Rates and server CPU (ms) a call of some rounds; a first one warms up."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in requests]
    rates, cpu = [], []
    for number in range(ROUNDS + 1):
        before, started = server.cpu_s(), time.perf_counter()
        ends = started + ROUND_S
        counts = await asyncio.gather(
            *(_calls(*pair, one, ends) for pair, one in zip(connections, requests, strict=True))
        )
        took = time.perf_counter() - started
        if number:
            rates.append(sum(counts) / took)
            cpu.append((server.cpu_s() - before) / sum(counts) * 1000)
    for _, writer in connections:
        writer.close()
    return rates, cpu


async def _calls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, ends: float) -> int:
    done = 0
    while time.perf_counter() < ends:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200") or b'"rt_cd":"0"' not in body:
            raise RuntimeError((head + body).decode(errors="replace"))
        done += 1
    return done


async def _echo_floor(requests: list[bytes]) -> list[float]:
    server = Server("-m", "bench.floors", "echo", str(OFFSET + 100))
    try:
        await server.up(f"http://127.0.0.1:{OFFSET + 100}/up")
        return (await _rounds(OFFSET + 100, requests, server))[0]
    finally:
        server.stop()


def _disk_floor() -> list[float]:
    """Milliseconds to have 300 bytes on the disk."""
    waits = []
    with tempfile.NamedTemporaryFile(prefix="bench") as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 300)
            file.flush()
            os.fdatasync(file.fileno())
            waits.append((time.perf_counter() - started) * 1000)
    return waits


# -- pushed ticks


class Counter(asyncio.Protocol):
    """One WebSocket client that counts the text frames it gets, and reads what control messages answer."""

    def __init__(self, greeting: list[bytes]) -> None:
        self.greeting, self.rest, self.frames, self.open, self.lost = greeting, b"", 0, False, False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not self.open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self.rest = head
                return
            self.open = True
            for message in self.greeting:
                self.transport.write(message)
        at, size = 0, len(data)
        while size - at >= 4:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            if size < start + length:
                break
            self.frames += data[start : start + 2] == b"0|"  # a tick; control answers are JSON
            at = start + length
        self.rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


def _masked(text: str) -> bytes:
    payload = text.encode()
    head = b"\x81" + (bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big"))
    return head + b"\0\0\0\0" + payload  # a mask of zeros leaves the text as it is


async def _pushes(sockets: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        files = ",".join(f"{symbol}={_bars(Path(folder), symbol)}" for symbol in SYMBOLS)
        server = Server(
            "-m", "brokers.paper", "--port-offset", str(OFFSET), "--tape", f"replay:{files}", "--speed", str(SPEED),
            "--lead", "4", home=Path(folder) / "home",
        )  # fmt: skip
        try:
            await server.up(_admin("/healthz"))
            greeting = await _registrations()
            found = await _count(_port("kis_ws_live"), sockets, greeting, server)
        finally:
            server.stop()
    floor = Server("-m", "bench.floors", "push", str(OFFSET + 100), str(sockets))
    try:
        await floor.up(f"http://127.0.0.1:{OFFSET + 100}/up")
        bare = await _count(OFFSET + 100, sockets, [], floor)
    finally:
        floor.stop()
    show(f"ticks pushed to {sockets} sockets, {OFFERED * sockets:.0f}/s offered (goal 20000)", found.rates, "ticks/s")
    show("  server CPU in use", found.cpu, "cores")
    show("  a bare aiohttp push without pause, same run", bare.rates, "frames/s")
    print(
        f"  ratio to it {median(found.rates) / median(bare.rates):.2f}; clients lost {found.lost}; "
        f"fewest and most ticks of one client {found.fewest}, {found.most}"
    )


class Pushed:
    def __init__(self, rates: list[float], cpu: list[float], clients: list[Counter]) -> None:
        self.rates, self.cpu = rates, cpu
        self.lost = sum(one.lost for one in clients)
        self.fewest, self.most = min(one.frames for one in clients), max(one.frames for one in clients)


async def _count(port: int, sockets: int, greeting: list[bytes], server: Server) -> Pushed:
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Counter(list(greeting)), "127.0.0.1", port))[1] for _ in range(sockets)
    ]
    await _until(lambda: all(one.frames for one in clients))
    rates, cpu = [], []
    for _ in range(ROUNDS):
        before, started, counted = server.cpu_s(), time.perf_counter(), sum(one.frames for one in clients)
        await asyncio.sleep(ROUND_S)
        took = time.perf_counter() - started
        rates.append((sum(one.frames for one in clients) - counted) / took)
        cpu.append((server.cpu_s() - before) / took)
    found = Pushed(rates, cpu, clients)
    for one in clients:
        one.transport.close()
    return found


async def _until(check: Callable[[], bool], timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > ends:
            raise TimeoutError("no ticks")
        await asyncio.sleep(0.05)


async def _registrations() -> list[bytes]:
    keys = {"grant_type": "client_credentials", "appkey": "key", "secretkey": "secret"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{_port('kis_rest_live')}/oauth2/Approval", json=keys)
    key = answer.json()["approval_key"]
    messages = []
    for symbol in SYMBOLS:
        header = {"approval_key": key, "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
        asked = {"tr_id": "HDFSCNT0", "tr_key": f"DNAS{symbol}"}
        messages.append(_masked(json.dumps({"header": header, "body": {"input": asked}})))
    return messages


def _bars(folder: Path, symbol: str) -> Path:
    """Six hours of minute bars around the symbol's price: at this speed, 36 seconds of ticks."""
    step, base, start = 1, SYMBOLS[symbol], datetime(2026, 3, 10, 14, 0, tzinfo=UTC)
    rows = ["ts_utc,open,high,low,close,volume"]
    for minute in range(360):
        first, last = base + step * (minute % 7), base + step * ((minute + 1) % 7)
        high, low = max(first, last) + step, min(first, last) - step
        rows.append(f"{start + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ},{first},{high},{low},{last},4000")
    path = folder / f"{symbol}.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
