"""The order flow over the 모의투자 wire: always at the local exchange, at the brokers' own hosts when keys are given.

`make test-mock` runs the second part. Keys: KIS_APP_KEY, KIS_APP_SECRET, KIS_ACCOUNT_NO (LS_… for LS), of a 모의투자
account; nothing here can reach a live host. Its masked answers land in tests/brokers/recorded/ as codec fixtures.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

import brokers.http
from brokers import open_broker
from brokers.contract import Broker, Credentials
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from tests.brokers.exchange import running
from tests.brokers.rig import MemoryTokens
from tests.mock_hosts.flow import Flow, order_flow
from tests.mock_hosts.recorder import Recorder


@dataclass(frozen=True)
class Case:
    broker: BrokerName
    market: Market
    symbol: str
    sim_key: str
    sim_account: str


CASES = [
    Case(BrokerName.KIS, Market.US, "AAPL", "PS" + "m" * 34, "50001234-01"),
    Case(BrokerName.KIS, Market.KRX, "005930", "PS" + "n" * 34, "50001235-01"),
    Case(BrokerName.LS, Market.KRX, "005930", "V" + "m" * 35, "55500012301"),
]


def broker_of(case: Case, environment: Environment, keys: Credentials, recorder: Recorder, offset: int = 0) -> Broker:
    return open_broker(
        AccountKey(1, case.broker, case.market, environment, 1),
        keys,
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=recorder,
        exchange_port_offset=offset,
        wire=Wire.MOCK,
    )


async def run_flow(broker: Broker, symbol: str) -> Flow:
    await broker.start()
    try:
        return await asyncio.wait_for(order_flow(broker, symbol), 240)
    finally:
        await broker.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.broker}-{case.market}")
async def test_an_order_lives_and_is_cancelled_over_the_mock_wire_of_the_local_exchange(
    case: Case, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "recorded")
    with running(tmp_path) as exchange:
        keys = Credentials(case.sim_key, "s" * 180, case.sim_account, "HTSID09")
        flow = await run_flow(broker_of(case, Environment.SIM, keys, recorder, exchange.offset), case.symbol)
    assert flow.last is not None and flow.last.canceled
    recorded = [file.read_text(encoding="utf-8") for file in (tmp_path / "recorded").rglob("*.json")]
    assert len(recorded) >= 6
    for secret in (keys.app_key, keys.app_secret, case.sim_account.split("-")[0]):
        assert not [text for text in recorded if secret in text]


def keys_given(broker: BrokerName) -> Credentials:
    names = ("APP_KEY", "APP_SECRET", "ACCOUNT_NO")
    given = {name: os.environ.get(f"{broker}_{name}", "") for name in names}
    if missing := [f"{broker}_{name}" for name, value in given.items() if not value]:
        pytest.skip(f"no 모의투자 keys: {', '.join(missing)} not set")
    return Credentials(*given.values(), os.environ.get(f"{broker}_HTS_ID", ""))


@pytest.mark.mock_hosts
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.broker}-{case.market}")
async def test_an_order_lives_and_is_cancelled_at_the_brokers_own_mock_hosts(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_given(case.broker)
    monkeypatch.setattr(brokers.http, "LOGGED_CHARS", 1_000_000)  # fixtures are whole answers
    flow = await run_flow(broker_of(case, Environment.MOCK, keys, Recorder()), case.symbol)
    if flow.closed:
        pytest.skip(f"all but the order itself was seen: {flow.closed}")
    assert flow.last is not None and flow.last.canceled
