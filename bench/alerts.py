"""How long news takes: from the moment a bot knows, over journal, store and messenger, until Telegram has said yes.

A desk under supervisord, its demo rules trading, a kill switch raised and lowered; the Bot API is a server on loopback.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from bench.first_light import OFFSET, show
from tests.console.telegram.bot_api import TOKEN, bot_api
from tests.e2e.desk import Desk, wait_until

CHAT = "42"
RAISES = 5
SECONDS = 60


@contextmanager
def bot_api_aside() -> Iterator[str]:
    """The Bot API in a thread; gives its address."""
    found: list[str] = []
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with bot_api() as api:
            found.append(api.url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        over.set()
        thread.join(10)


def run() -> None:
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; goal ≤ 5 s")
    with tempfile.TemporaryDirectory(prefix="bench") as folder, bot_api_aside() as address:
        given = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_IDS": CHAT, "TELEGRAM_API_BASE": address}
        desk = Desk(Path(folder) / "desk", OFFSET, extra_env=given)
        desk.make()
        desk.setup()
        desk.start()
        try:
            _measure(desk)
        finally:
            desk.stop()


def _measure(desk: Desk) -> None:
    wait_until("a fill was told", lambda: _told(desk, "FILL"), 120)
    for _ in range(RAISES):
        desk.cli("kill", "raise", "NO_NEW")
        time.sleep(SECONDS / RAISES / 2)
        desk.cli("kill", "lower", "RUN", "--reason", "bench")
        time.sleep(SECONDS / RAISES / 2)
    wait_until("everything was told", lambda: not desk.rows("SELECT 1 FROM alerts WHERE delivered_at IS NULL"))
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for row in _told(desk):
        by_kind[row["kind"]].append(_seconds(row["created_at"], row["delivered_at"]))
    for kind, found in sorted(by_kind.items()):
        show(f"{kind}: known → told", found, "s")
    every = [one for found in by_kind.values() for one in found]
    print(f"  all: p95 {quantiles(every, n=20)[-1]:.2f} s, worst {max(every):.2f} s, n={len(every)}")


def _told(desk: Desk, kind: str = "") -> list[dict[str, str]]:
    rows = desk.rows("SELECT kind, created_at, delivered_at FROM alerts WHERE delivered_at IS NOT NULL AND count = 1")
    return [row for row in rows if kind in ("", row["kind"])]


def _seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


if __name__ == "__main__":
    run()
