"""The local exchange as a real process, and the referee's view of it: ledger, faults, tape."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shared.config import EXCHANGE_PORTS, ROOT
from tests.ports import take_offset


class Exchange:
    """A running exchange; its ledger is the ground truth."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self._admin = httpx.Client(base_url=f"http://127.0.0.1:{EXCHANGE_PORTS['admin'] + offset}", trust_env=False)

    def healthy(self) -> bool:
        try:
            return self._admin.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def mark(self) -> int:
        """Where the ledger stands now; pass it to `events`."""
        return int(self._admin.get("/ledger").json()["seq"])

    def events(self, after: int, kind: str) -> list[dict[str, Any]]:
        answer = self._admin.get("/ledger", params={"after": after, "type": kind})
        return list(answer.raise_for_status().json()["events"])

    def fault(self, action: str, match: dict[str, str], args: dict[str, Any] | None = None, count: int = 1) -> None:
        body = {"match": match, "action": action, "args": args or {}, "count": count}
        self._admin.post("/faults", json=body).raise_for_status()

    def mend(self) -> None:
        self._admin.delete("/faults").raise_for_status()


@contextmanager
def running(home: Path, *options: str) -> Iterator[Exchange]:
    """Start `python -m brokers.paper` on free ports and stop it afterwards."""
    offset = take_offset()
    with (home / "exchange.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "brokers.paper", "--port-offset", str(offset), *options],
            cwd=ROOT,
            env={**os.environ, "LETSTRADE_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
        exchange = Exchange(offset)
        try:
            deadline = time.monotonic() + 120
            while not exchange.healthy():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((home / "exchange.log").read_text(errors="replace"))
                time.sleep(0.05)
            yield exchange
        finally:
            process.terminate()
            process.wait(timeout=120)
