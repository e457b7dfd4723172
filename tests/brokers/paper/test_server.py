"""The running exchange: real processes, real sockets, kill -9."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from brokers.paper.server import PORTS
from shared.config import EXCHANGE_PORTS
from tests.ports import take_offset

ROOT = Path(__file__).resolve().parents[3]
ORDER = "/uapi/overseas-stock/v1/trading/order"


class Process:
    """`python -m brokers.paper` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.offset = home, take_offset()
        self.child: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=60, trust_env=False)

    def start(self, *flags: str, wait: bool = True) -> subprocess.Popen[bytes]:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "brokers.paper", "--port-offset", str(self.offset), *flags],
            cwd=ROOT,
            env={**os.environ, "LETSTRADE_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if wait:
            self._until_up()
        return self.child

    def _until_up(self) -> None:
        assert self.child is not None
        for _ in range(300):
            if self.child.poll() is not None:
                raise AssertionError(self.output())
            try:
                if self.http.get(self.url("admin", "/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the exchange did not come up")

    def output(self) -> str:
        assert self.child is not None
        return self.child.communicate(timeout=120)[0].decode()

    def stop(self, number: int = signal.SIGKILL) -> int:
        assert self.child is not None
        self.child.send_signal(number)
        return self.child.wait(timeout=120)

    def url(self, port: str, path: str) -> str:
        return f"http://127.0.0.1:{PORTS[port] + self.offset}{path}"

    def admin(self, path: str, **params: object) -> Any:
        return self.http.get(self.url("admin", path), params={k: str(v) for k, v in params.items()}).json()

    def post(self, path: str, body: object) -> httpx.Response:
        return self.http.post(self.url("admin", path), json=body)

    def token(self) -> str:
        keys = {"grant_type": "client_credentials", "appkey": "key", "appsecret": "secret"}
        return str(self.http.post(self.url("kis_rest_live", "/oauth2/tokenP"), json=keys).json()["access_token"])

    def buy(self, token: str, quantity: int, price: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}", "appkey": "key", "appsecret": "secret", "tr_id": "TTTT1002U"}
        body = {
            "CANO": "12345678",
            "ACNT_PRDT_CD": "01",
            "OVRS_EXCG_CD": "NASD",
            "PDNO": "AAPL",
            "ORD_QTY": str(quantity),
            "OVRS_ORD_UNPR": price,
            "ORD_SVR_DVSN_CD": "0",
            "ORD_DVSN": "00",
        }
        return dict(self.http.post(self.url("kis_rest_live", ORDER), headers=headers, json=body).json())

    def fills(self, at_least: int) -> list[dict[str, Any]]:
        for _ in range(100):
            events = self.admin("/ledger", type="FILL")["events"]
            if len(events) >= at_least:
                return list(events)
            time.sleep(0.05)
        raise AssertionError("no fill")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path / "home with space")
    yield made
    if made.child is not None and made.child.poll() is None:
        made.stop()
    if made.child is not None and made.child.stdout is not None:
        made.child.stdout.close()
    made.http.close()


def test_the_ports_are_those_the_rest_of_the_house_knows() -> None:
    assert PORTS == EXCHANGE_PORTS


def test_once_healthy_every_port_listens(process: Process) -> None:
    process.start()
    for port in PORTS.values():
        with socket.create_connection(("127.0.0.1", port + process.offset), timeout=2):
            pass
    clock = process.admin("/clock")
    assert set(clock) == {"market", "wall", "speed", "sessions", "next_auction"}
    assert clock["sessions"] == "always"


def test_kill_9_loses_no_order_no_fill_no_token_and_no_number(process: Process) -> None:
    process.start()
    token = process.token()
    first = process.buy(token, 10, "240.00")["output"]["ODNO"]
    process.fills(1)
    waiting = process.buy(token, 7, "150.00")["output"]["ODNO"]
    process.stop(signal.SIGKILL)  # right after the answer
    process.start()
    ledger = process.admin("/ledger")
    orders = [e for e in ledger["events"] if e["type"] == "ORDER"]
    assert [e["order_id"] for e in orders] == [first, waiting]
    assert [e["seq"] for e in ledger["events"]] == list(range(1, ledger["seq"] + 1))
    fill = process.fills(1)[0]
    account = process.admin("/accounts/12345678-01")
    assert Decimal(account["cash"]["USD"]) == 100_000 - 10 * Decimal(fill["price"])
    assert Decimal(account["orderable"]["USD"]) == Decimal(account["cash"]["USD"]) - 7 * 150
    assert [(h["symbol"], h["quantity"]) for h in account["holdings"]] == [("AAPL", 10)]
    after = process.buy(token, 1, "240.00")["output"]["ODNO"]  # the token of before is still good
    assert int(after) == int(waiting) + 1
    assert len(process.fills(2)) == 2


def test_sigterm_ends_it_cleanly_though_a_client_hangs_on(process: Process) -> None:
    process.start()
    with socket.create_connection(("127.0.0.1", PORTS["kis_rest_live"] + process.offset), timeout=2):
        assert process.stop(signal.SIGTERM) == 0  # who waits for its clients does so for 60 s, this asks for 20


def test_over_tls_the_brokers_ports_answer_those_who_trust_its_authority(process: Process, tmp_path: Path) -> None:
    process.start("--tls", str(tmp_path / "tls"), "--costs", "default")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
    keys = {"grant_type": "client_credentials", "appkey": "key", "appsecret": "secret"}
    url = process.url("kis_rest_live", "/oauth2/tokenP").replace("http:", "https:")
    with httpx.Client(verify=trusting, trust_env=False) as client:
        assert client.post(url, json=keys).status_code == 200
    with pytest.raises(httpx.TransportError):
        process.token()


@pytest.mark.parametrize(
    "flags",
    [
        ("--profile", "lenient"),
        ("--speed", "0"),
        ("--speed", "fast"),
        ("--port-offset", "-1"),
        ("--port-offset", "60000"),
        ("--cash", "EUR=5"),
        ("--cash", "USD=lots"),
        ("--costs", "some"),
        ("--surprise",),
    ],
)
def test_a_bad_flag_is_usage_and_named(process: Process, flags: tuple[str, ...]) -> None:
    child = process.start(*flags, wait=False)
    assert flags[0] in process.output()
    assert child.returncode == 2


def test_a_bad_tape_is_a_configuration_error_with_what_why_now(process: Process) -> None:
    child = process.start("--tape", "replay:AAPL=/no/such/file.csv", wait=False)
    text = process.output()
    assert "AAPL" in text and "why: " in text and "now: " in text and "Traceback" not in text
    assert child.returncode == 78


def test_a_port_in_use_is_a_configuration_error_that_names_it(process: Process) -> None:
    port = PORTS["ls_rest"] + process.offset
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        child = process.start(wait=False)
        text = process.output()
    assert f"port {port}" in text and "Traceback" not in text
    assert child.returncode == 78


def test_a_second_exchange_on_the_same_home_is_refused(process: Process, tmp_path: Path) -> None:
    process.start()
    second = Process(process.home)
    child = second.start(wait=False)
    text = second.output()
    assert "LETSTRADE_HOME" in text and "Traceback" not in text
    assert child.returncode == 78
    second.http.close()


def test_the_admin_door_answers_and_refuses_by_name(process: Process) -> None:
    process.start("--cash", "USD=5000")
    account = process.admin("/accounts/12345678-01")
    assert (account["cash"], account["holdings"]) == ({"KRW": "100000000", "USD": "5000"}, [])
    assert process.admin("/accounts/50001234-01")["env"] == "mock"
    opened = process.post(
        "/accounts",
        {
            "broker": "ls", "env": "live", "app_key": "k", "secret": "s", "account": "20112345601", "hts_id": "",
            "cash": {"KRW": 70000}, "holdings": [{"symbol": "005930", "quantity": 3, "average_price": "70000"}],
        },
    )  # fmt: skip
    assert opened.status_code == 201
    assert process.admin("/accounts/20112345601")["holdings"][0]["quantity"] == 3
    assert process.admin("/ledger", account="20112345601", type="CASH")["events"][0]["price"] == "70000"
    planned = process.post("/faults", {"action": "delay", "match": {"tr": "X"}, "args": {"seconds": 1}}).json()
    assert [f["id"] for f in process.admin("/faults")["faults"]] == [planned["id"]]
    assert process.http.delete(process.url("admin", f"/faults/{planned['id']}")).json() == {"removed": 1}
    before = process.admin("/accounts/12345678-01")
    assert process.post("/tape", {"symbol": "AAPL", "jump": -5}).status_code == 200
    assert process.admin("/accounts/12345678-01") == before
    numbers = [one["account"] for one in process.admin("/accounts")["accounts"]]
    assert sorted(numbers) == ["12345678-01", "20112345601", "50001234-01"]
    assert {"settled", "unsettled", "orderable"} <= set(before)
    for action in (
        {"symbol": "AAPL", "split": "2:1"},
        {"symbol": "AAPL", "dividend": "0.24"},
        {"symbol": "005930", "vi": True},
        {"symbol": "005930", "resume": True},
        {"market": "US", "circuit_breaker": True},
        {"market": "US", "circuit_breaker": False},
    ):
        assert process.post("/tape", action).status_code == 200
    assert set(process.admin("/clock")["next_auction"]) == {"KRX", "US"}
    for response in (
        process.post("/tape", {"symbol": "AAPL", "split": "2"}),
        process.post("/tape", {"symbol": "AAPL", "split": "1:1"}),
        process.post("/tape", {"symbol": "AAPL", "dividend": "-1"}),
        process.post("/tape", {"symbol": "AAPL", "vi": False}),
        process.post("/tape", {"market": "MOON", "circuit_breaker": True}),
        process.post("/tape", {"symbol": "AAPL", "speed": 2}),
        process.post("/tape", {"symbol": "AAPL"}),
        process.post("/tape", {"symbol": "AAPL", "jump": "much"}),
        process.post("/tape", {"symbol": "NOPE", "jump": 1}),
        process.post("/tape", {"source": "nonsense"}),
        process.post("/faults", {"action": "explode"}),
        process.post("/accounts", {"broker": "KIS"}),
        process.post("/accounts", ["list"]),
        process.http.get(process.url("admin", "/ledger?after=x")),
        process.http.get(process.url("admin", "/ledger?type=FILLS")),
        process.http.get(process.url("admin", "/accounts/00000000-01")),
        process.http.get(process.url("admin", "/nothing")),
    ):
        assert response.status_code in (400, 404)
        error = json.loads(response.text)["error"]
        assert error["what"] and error["why"] and error["now"]
