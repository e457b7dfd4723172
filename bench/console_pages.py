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
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

FEW = 100
MANY = 20_000 if os.environ.get("LETSTRADE_BENCH_SMALL") == "1" else 1_000_000
PAGES = ("", "orders", "positions", "rules", "risk", "inbox", "profit", "market", "alerts", "logs", "account", "system")
ROUNDS = 60
PATIENCE_S = 120.0


def run() -> None:
    from tests.console import desks
    from tests.console.served import free_port

    folders = {orders: Path(tempfile.mkdtemp(prefix="letstrade-pages-")) for orders in (FEW, MANY)}
    try:
        made = {orders: built(desks.empty_desk(folder, free_port()), orders) for orders, folder in folders.items()}
        found = served(made)
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
    print(f"  {'page rerun, ms':18} {f'{FEW:,} orders':>20} {f'{MANY:,} orders':>24}   (p50 / p95)   ratio")
    for page in (*PAGES, "first paint"):
        (a, a95), (b, b95) = (_cuts(found[orders][page]) for orders in (FEW, MANY))
        print(f"  {page or 'control':18} {a:9.0f} / {a95:6.0f} {b:13.0f} / {b95:6.0f} {b / a:18.2f}")


def built(desk: Any, orders: int) -> Any:
    """Fill the desk's store with so many orders, and as many lines of log."""
    from bench import console

    console.ORDERS, console.LOGS = orders, orders
    console.fill(desk.wiring.engine, datetime.now(UTC))
    return desk


Took = dict[str, list[float]]  # page → milliseconds of each round


def served(made: dict[int, Any]) -> dict[int, Took]:
    """Run a console on each desk and ask them in turn for their pages: what else the machine does slows both alike."""
    from tests.console.served import start_console, wait_healthy

    processes, urls = [], {}
    try:
        for orders, desk in made.items():
            settings = desk.wiring.settings
            processes.append(start_console(desk, settings.home / "console.log"))
            urls[orders] = f"http://127.0.0.1:{settings.port}"
            wait_healthy(urls[orders], processes[-1])
        return asyncio.run(_measured(made, urls))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


async def _measured(made: dict[int, Any], urls: dict[int, str]) -> dict[int, Took]:
    from bench.console_load import signed_in

    doors = {orders: (urls[orders], signed_in(desk, urls[orders])[0]) for orders, desk in made.items()}
    found: dict[int, Took] = {orders: defaultdict(list) for orders in made}
    for door in doors.values():
        async with _tab(*door) as socket:
            await _drawn(socket, "profit")  # a year's earnings are reckoned once, when the console starts
    for _ in range(ROUNDS):
        for orders, door in doors.items():
            began = time.perf_counter()
            async with _tab(*door) as socket:
                await _drawn(socket, "")
            found[orders]["first paint"].append((time.perf_counter() - began) * 1000)
    for page in PAGES:
        async with AsyncExitStack() as tabs:
            sockets = {orders: await tabs.enter_async_context(_tab(*door)) for orders, door in doors.items()}
            for socket in sockets.values():
                await _drawn(socket, page)
            for _ in range(ROUNDS):
                for orders, socket in sockets.items():
                    found[orders][page].append(await _drawn(socket, page))
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
