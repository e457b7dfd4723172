"""What a stranger's client is to the runner: a module `kis_*.py` or `ls_*.py` here with a `NAME` and a `run`.

`run(exchange) -> list[CallResult]` (plain or async) drives somebody else's unmodified client against a running local
exchange. It raises Unavailable when the client cannot be obtained. A call counts as *exercised* when the client made it
and got through without an error of its own, as *passed* only when what the client itself parsed equals the exchange's
ledger, quotes or holdings.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from brokers.paper.server import PORTS
from tests.ports import take_offset

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallResult:
    call: str  # the client's own function, and the TR it sends where that is known: "fetch_balance (TTTC8434R)"
    exercised: bool
    passed: bool
    detail: str = ""  # what was compared, or what went wrong


class Unavailable(Exception):
    """The client cannot be had here; the text is the reason shown for the skip."""


class ExchangeProc:
    """`python -m brokers.paper` on free ports in a home of its own, and its admin door."""

    host = "127.0.0.1"

    def __init__(self, home: Path, *flags: str) -> None:
        self.home, self.flags, self.offset = home, flags, take_offset()
        self._child: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=10, trust_env=False)

    def __enter__(self) -> ExchangeProc:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "exchange.log").open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "brokers.paper", "--port-offset", str(self.offset), *self.flags],
                cwd=ROOT,
                env={**os.environ, "LETSTRADE_HOME": str(self.home)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        for _ in range(600):
            if self._child.poll() is not None:
                raise AssertionError((self.home / "exchange.log").read_text(errors="replace"))
            try:
                if self._http.get(self.url("admin") + "/healthz").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the exchange did not come up")

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait(timeout=20)
        self._http.close()

    def port(self, name: str) -> int:
        """A listener's port by its name in brokers.paper.server.PORTS (kis_rest_live, ls_rest, ls_ws_mock …)."""
        return PORTS[name] + self.offset

    def url(self, name: str, scheme: str = "http") -> str:
        return f"{scheme}://{self.host}:{self.port(name)}"

    # -- the admin door: what is true, to compare a client's own parsed values with

    def get(self, path: str, **query: str | int) -> Json:
        answer = self._http.get(self.url("admin") + path, params=query)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def post(self, path: str, body: Json) -> Json:
        answer = self._http.post(self.url("admin") + path, json=body)
        assert answer.status_code < 300, answer.text
        made: Json = answer.json()
        return made

    def events(self, account: str = "", kind: str = "", after: int = 0) -> list[Json]:
        """Ledger events after a sequence number, oldest first."""
        query = {"after": after, **({"account": account} if account else {}), **({"type": kind} if kind else {})}
        found: list[Json] = self.get("/ledger", **query)["events"]
        return found

    def account(self, number: str, broker: str, env: str) -> Json:
        """Cash, orderable and holdings of an account, as the exchange keeps them."""
        return self.get(f"/accounts/{number}", broker=broker, env=env)

    def set_price(self, symbol: str, price: Decimal) -> None:
        self.post("/tape", {"symbol": symbol, "price": str(price)})
