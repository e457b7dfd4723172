"""A page from the click to its last element, on a desk of 100 orders and on one of 1,000,000: what history costs.

Starts the real console on each store and speaks the browser's own protocol: opens a tab (first paint), then asks for each
page again and again. `LETSTRADE_BENCH_SMALL=1` takes 20,000 for the million. Building the large store takes some minutes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

FEW = 100
MANY = 20_000 if os.environ.get("LETSTRADE_BENCH_SMALL") == "1" else 1_000_000
PAGES = ("", "orders", "positions", "rules", "risk", "inbox", "profit", "market", "alerts", "logs", "account", "system")
ROUNDS = 12
PATIENCE_S = 120.0


def run() -> None:
    found = {many: _on_store(many) for many in (FEW, MANY)}
    few, many = found[FEW], found[MANY]
    print(f"  {'page rerun, ms':18} {f'{FEW:,} orders':>20} {f'{MANY:,} orders':>24}   (p50 / p95)   ratio")
    for page in (*PAGES, "first paint"):
        (a, a95), (b, b95) = few[page], many[page]
        print(f"  {page or 'control':18} {a:9.0f} / {a95:6.0f} {b:13.0f} / {b95:6.0f} {b / a:18.2f}")


def _on_store(orders: int) -> dict[str, tuple[float, float]]:
    from tests.console import desks
    from tests.console.served import free_port

    folder = Path(tempfile.mkdtemp(prefix="letstrade-pages-"))
    try:
        return served(built(desks.empty_desk(folder, free_port()), orders))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def built(desk: Any, orders: int) -> Any:
    """Fill the desk's store with so many orders, and as many lines of log."""
    from bench import console

    console.ORDERS, console.LOGS = orders, orders
    console.fill(desk.wiring.engine, datetime.now(UTC))
    return desk


def served(desk: Any) -> dict[str, tuple[float, float]]:
    """Run the console on the desk and ask for its pages."""
    from tests.console.served import start_console, wait_healthy

    settings = desk.wiring.settings
    process = start_console(desk, settings.home / "console.log")
    url = f"http://127.0.0.1:{settings.port}"
    try:
        wait_healthy(url, process)
        return asyncio.run(_measured(desk, url))
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _measured(desk: Any, url: str) -> dict[str, tuple[float, float]]:
    from bench.console_load import signed_in

    cookie = signed_in(desk, url)[0]
    async with _tab(url, cookie) as socket:
        await _drawn(socket, "profit")  # a year's earnings are reckoned once, when the console starts
    painted = []
    for _ in range(5):
        began = time.perf_counter()
        async with _tab(url, cookie) as socket:
            await _drawn(socket, "")
        painted.append((time.perf_counter() - began) * 1000)
    found = {"first paint": _cuts(painted)}
    for page in PAGES:
        async with _tab(url, cookie) as socket:
            await _drawn(socket, page)
            found[page] = _cuts([await _drawn(socket, page) for _ in range(ROUNDS)])
    return found


def _cuts(times: list[float]) -> tuple[float, float]:
    return median(times), quantiles(times, n=20)[18]


@asynccontextmanager
async def _tab(url: str, cookie: str) -> AsyncIterator[Any]:
    from websockets.asyncio.client import connect

    async with connect(
        f"{url.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Cookie": cookie, "Origin": url}, max_size=None, proxy=None,
    ) as socket:  # fmt: skip
        yield socket


async def _drawn(socket: Any, page: str) -> float:
    """Ask for the page and wait for its last element; milliseconds."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    ask = BackMsg()
    ask.rerun_script.query_string = "account=1" if page == "account" else ""
    ask.rerun_script.page_name = page
    began = time.perf_counter()
    await socket.send(ask.SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        kind = message.WhichOneof("type")
        if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return (time.perf_counter() - began) * 1000
        if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            raise RuntimeError(message.delta.new_element.exception.message)


if __name__ == "__main__":
    run()
