"""No SIM or MOCK account can reach a live host: not by address, not by redirect, not even to look its name up."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from brokers import open_broker
from brokers.contract import Broker, Credentials
from brokers.kis import tr as kis_tr
from brokers.ls import tr as ls_tr
from shared.clock import SystemClock
from shared.config import EXCHANGE_PORTS
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from shared.domain.errors import ConfigError, DoorClosed
from tests.brokers.rig import MemoryTokens
from tests.ports import take_offset

LIVE_REST = "https://openapi.koreainvestment.com:9443"
LIVE_STREAM = "ws://ops.koreainvestment.com:21000"
MOCK_REST = "https://openapivts.koreainvestment.com:29443"
MOCK_STREAM = "ws://ops.koreainvestment.com:31000"

LS_STREAM, LS_MOCK_STREAM = "wss://openapi.ls-sec.co.kr:9443", "wss://openapi.ls-sec.co.kr:29443"
# LS serves real and mock trading from one REST host: there the environment probe of its start tells them apart.
LS_REST = "https://openapi.ls-sec.co.kr:8080"

ACCOUNT_NO = {BrokerName.KIS: "12345678-01", BrokerName.LS: "20012345601"}
LOOPBACK = ["http://localhost:18443", "http://127.0.0.1:80", "ws://127.0.0.1:1"]
REFUSED = {  # what an account of (broker, environment) must not be pointed at
    (BrokerName.KIS, Environment.SIM): [LIVE_REST, LIVE_STREAM, MOCK_REST, MOCK_STREAM, LS_REST, *LOOPBACK],
    (BrokerName.KIS, Environment.MOCK): [LIVE_REST, LIVE_STREAM, "https://openapivts.koreainvestment.com", *LOOPBACK],
    (BrokerName.KIS, Environment.LIVE): [MOCK_REST, MOCK_STREAM, LIVE_REST.replace("https", "http"), *LOOPBACK],
    (BrokerName.LS, Environment.SIM): [LS_REST, LS_STREAM, LS_MOCK_STREAM, LIVE_REST, *LOOPBACK],
    (BrokerName.LS, Environment.MOCK): [LS_STREAM, LIVE_REST, *LOOPBACK],
    (BrokerName.LS, Environment.LIVE): [LS_MOCK_STREAM, LS_REST.replace("https", "http"), *LOOPBACK],
}
OVERRIDES = [(*where, name, url) for where, urls in REFUSED.items() for url in urls for name in ("rest", "stream")]


def account(broker: BrokerName, environment: Environment, **options: Any) -> Broker:
    return open_broker(
        AccountKey(1, broker, Market.KRX, environment, 1),
        Credentials("key-of-a-test", "secret-of-a-test", ACCOUNT_NO[broker], "HTSID01"),
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=None,
        **options,
    )


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every name looked up and every address connected to; names never leave this machine."""
    seen: list[str] = []
    real_connect = socket.socket.connect

    async def resolve(loop: Any, host: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(str(host))
        if host != "127.0.0.1":
            raise socket.gaierror("the spy resolves nothing")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, args[0] if args else kwargs["port"]))]

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(str(address[0]))
        real_connect(self, address)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: seen.append(str(host)))
    monkeypatch.setattr(socket.socket, "connect", connect)
    yield seen


@pytest.mark.parametrize(("broker", "environment", "name", "url"), OVERRIDES)
async def test_an_address_of_another_environment_is_refused_before_dns(
    broker: BrokerName, environment: Environment, name: str, url: str, reached: list[str]
) -> None:
    override: Mapping[str, str] = {name: url}
    with pytest.raises(DoorClosed):
        account(broker, environment, host_override=override)
    assert reached == []


@pytest.mark.parametrize("broker", list(ACCOUNT_NO))
async def test_a_redirect_to_a_live_host_is_refused_before_dns(broker: BrokerName, reached: list[str]) -> None:
    offset = take_offset()

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 X\r\nLocation: %s/oauth2/tokenP\r\nContent-Length: 0\r\n\r\n" % LIVE_REST.encode())
        writer.close()

    ports = [EXCHANGE_PORTS[name] + offset for name in ("kis_rest_live", "ls_rest")]
    servers = [await asyncio.start_server(redirect, "127.0.0.1", port) for port in ports]
    broker_account = account(broker, Environment.SIM, exchange_port_offset=offset)
    with pytest.raises(DoorClosed):
        await broker_account.start()
    await broker_account.close()
    for server in servers:
        server.close()
    assert set(reached) == {"127.0.0.1"}


async def test_the_spy_would_see_a_lookup(reached: list[str]) -> None:
    with pytest.raises(OSError, match="spy"):
        await asyncio.open_connection("openapi.koreainvestment.com", 9443)
    assert reached == ["openapi.koreainvestment.com"]


@pytest.mark.parametrize("environment", [Environment.SIM, Environment.MOCK])
@pytest.mark.parametrize("wire", list(Wire))
def test_no_host_list_but_live_s_names_a_live_host(environment: Environment, wire: Wire) -> None:
    live = kis_tr.site(Environment.LIVE, Wire.LIVE).hosts.allowed
    assert not live & kis_tr.site(environment, wire).hosts.allowed
    shared = ls_tr.site(Environment.LIVE, Wire.LIVE).hosts.allowed & ls_tr.site(environment, wire).hosts.allowed
    assert shared == ({("https", "openapi.ls-sec.co.kr", 8080)} if environment is Environment.MOCK else set())


def test_sim_ports_are_the_exchange_s() -> None:
    assert {
        Wire.LIVE: (EXCHANGE_PORTS["kis_rest_live"], EXCHANGE_PORTS["kis_ws_live"]),
        Wire.MOCK: (EXCHANGE_PORTS["kis_rest_mock"], EXCHANGE_PORTS["kis_ws_mock"]),
    } == kis_tr.SIM_PORTS


def test_an_account_number_without_its_product_code_is_a_named_refusal() -> None:
    with pytest.raises(ConfigError) as refused:
        open_broker(
            AccountKey(1, BrokerName.KIS, Market.US, Environment.SIM, 1),
            Credentials("k", "s", "12345678"),
            clock=SystemClock(),
            token_store=MemoryTokens(),
            call_log=None,
        )
    assert refused.value.code == "account_no" and "product code" in str(refused.value)
