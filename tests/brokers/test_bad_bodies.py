"""Answers that are not what they should be, from the exchange's fault plan: an order is unknown, a list is never empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers import open_broker
from brokers.contract import Broker, Credentials
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import BrokerError, OutcomeUnknown, RateLimited
from shared.domain.order import Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens

HTML = "<html><body>점검 중입니다</body></html>"
BODIES: dict[str, Any] = {
    "html": HTML, "nothing": "", "cut": '{"rt_cd":"0","rsp_cd":"00000","output":{"ODNO"', "a list": [], "text": '"0"',
    "null": "null", "no envelope": {}, "output of text": {"rt_cd": "0", "rsp_cd": "00000", "output": "x", "output1": "x"},
    "numbers as objects": {"rt_cd": "0", "rsp_cd": "00000", "output": {"ODNO": {}}, "output1": [{"pdno": []}]},
    "an unlisted code": {"rt_cd": "1", "msg_cd": "ZZZZ9999", "msg1": "?", "rsp_cd": "99999", "rsp_msg": "?"},
    "a code of another type": {"rt_cd": 0, "msg_cd": 7, "rsp_cd": 0},
}  # fmt: skip
ACCOUNTS = {
    BrokerName.KIS: (Market.US, "AAPL", Decimal("150.00"), "TTTT1002U", "CTRP6504R|TTTS3018R|TTTS3035R"),
    BrokerName.LS: (Market.KRX, "005930", Decimal(60_000), "CSPAT00601", "t0424|t0425|CSPAQ12200"),
}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("bad")) as one:
        yield one


@asynccontextmanager
async def started(exchange: Exchange, name: BrokerName) -> AsyncIterator[Broker]:
    broker = open_broker(
        AccountKey(1, name, ACCOUNTS[name][0], Environment.SIM, 1),
        Credentials(f"BAD{name}" + "7" * 20, "s" * 60, "77000009-01", "HTSID79"),
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=None,
        exchange_port_offset=exchange.offset,
    )
    await broker.start()
    try:
        yield broker
    finally:
        exchange.mend()
        await broker.close()


@pytest.mark.parametrize("name", list(ACCOUNTS))
async def test_an_order_answered_with_nonsense_is_unknown_and_sent_once(exchange: Exchange, name: BrokerName) -> None:
    _, symbol, price, order, _ = ACCOUNTS[name]
    async with started(exchange, name) as broker:
        for what, body in BODIES.items():
            mark = exchange.mark()
            exchange.fault("body", {"tr": order}, {"body": body, "accept": True, "content_type": "text/html"})
            with pytest.raises(OutcomeUnknown):
                await broker.place_order(symbol, Side.BUY, 1, price)
            assert len(exchange.events(mark, "ORDER")) == 1, what
            exchange.mend()
        for status in (500, 502, 503):
            mark = exchange.mark()
            exchange.fault("status", {"tr": order}, {"status": status, "body": HTML, "accept": True})
            with pytest.raises(OutcomeUnknown):
                await broker.place_order(symbol, Side.BUY, 1, price)
            assert len(exchange.events(mark, "ORDER")) == 1, status
            exchange.mend()


def questions(broker: Broker) -> dict[str, Callable[[], Awaitable[object]]]:
    today = SystemClock().market_now().date()
    return {
        "open orders": broker.get_open_orders,
        "executions": lambda: broker.get_executions(today - timedelta(days=1), today + timedelta(days=1)),
        "positions": broker.get_positions,
        "cash": broker.get_cash,
    }


@pytest.mark.parametrize("name", list(ACCOUNTS))
async def test_a_list_answered_with_nonsense_is_an_error_and_never_an_empty_list(
    exchange: Exchange, name: BrokerName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.http.FIRST_RETRY_S", 60.0)  # one try each
    monkeypatch.setattr("brokers.http.LONGEST_RETRY_S", 60.0)
    monkeypatch.setattr("brokers.pacing.Pacer._wait_s", lambda *args: 0.0)  # the exchange here counts no calls
    async with started(exchange, name) as broker:
        for what, body in BODIES.items():
            exchange.fault("body", {"tr": ACCOUNTS[name][4]}, {"body": body}, count=0)
            for question, ask in questions(broker).items():
                with pytest.raises(BrokerError) as raised:
                    print(what, question, await ask())
                assert not isinstance(raised.value, RateLimited), (what, question)
            exchange.mend()
