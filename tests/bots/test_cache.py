"""cache.db: a second ask inside the maximum age makes no call, as the exchange counts them; beyond it, one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bots.cache import DAY_BARS_AGE, HOLIDAY_AGE, INSTRUMENT_AGE, QUOTE_AGE, Cache
from brokers import open_broker
from brokers.contract import Credentials
from shared.clock import SystemClock
from shared.config import EXCHANGE_PORTS
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.market import Timeframe
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import FakeClock, MemoryTokens

KEY = AccountKey(1, BrokerName.KIS, Market.US, Environment.SIM, 1)
A_DAY = date(2026, 11, 20)

Ask = Callable[[Cache], Awaitable[Any]]
ASKED: dict[str, tuple[str, timedelta, Ask]] = {  # what is asked: its TR, its age, the question
    "quote": ("HHDFS00000300", QUOTE_AGE, lambda cache: cache.quote("AAPL")),
    "day bars": ("HHDFS76240000", DAY_BARS_AGE, lambda cache: cache.bars("AAPL", Timeframe.D1, 50)),
    "instrument": ("CTPF1702R", INSTRUMENT_AGE, lambda cache: cache.instrument("AAPL")),
    "instruments": ("HHDFS76410000", INSTRUMENT_AGE, lambda cache: cache.instruments()),
    "open day": ("CTOS5011R", HOLIDAY_AGE, lambda cache: cache.is_open_day(A_DAY)),
}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running(tmp_path_factory.mktemp("cache")) as one:
        yield one


class Counter:
    """Counts the calls of one TR that reach the exchange: a fault that does nothing but count."""

    def __init__(self, exchange: Exchange, tr: str) -> None:
        self._url = f"http://127.0.0.1:{EXCHANGE_PORTS['admin'] + exchange.offset}/faults"
        body = {"match": {"tr": tr}, "action": "delay", "args": {"seconds": 0}, "count": 0}
        self._id = httpx.post(self._url, json=body, trust_env=False).raise_for_status().json()["id"]

    def calls(self) -> int:
        faults = httpx.get(self._url, trust_env=False).json()
        rows = faults["faults"] if isinstance(faults, dict) else faults
        return next(int(row["fired"]) for row in rows if row["id"] == self._id)


@pytest.mark.parametrize("what", list(ASKED))
async def test_a_second_ask_inside_the_age_makes_no_call_and_one_beyond_it_does(
    exchange: Exchange, what: str, tmp_path: Path
) -> None:
    tr, age, ask = ASKED[what]
    counter, clock = Counter(exchange, tr), FakeClock(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))

    async def asked(times: int) -> list[Any]:
        """What a bot that starts now is told; the adapter's own memory is not what is tested."""
        broker = open_broker(
            KEY, Credentials("CACHE" + "7" * 20, "s" * 60, "77000005-01", "HTSID75"), clock=SystemClock(),
            token_store=MemoryTokens(), call_log=None, exchange_port_offset=exchange.offset,
        )  # fmt: skip
        cache = Cache(tmp_path / "cache.db", KEY, broker, clock)
        try:
            return [await ask(cache) for _ in range(times)]
        finally:
            cache.close()
            await broker.close()

    first, second = await asked(2)
    once = counter.calls()
    assert once >= 1 and second == first
    (third,) = await asked(1)  # a restart inside the age
    assert counter.calls() == once and third == first
    clock.forward(seconds=age.total_seconds() + 1)
    await asked(1)
    assert counter.calls() == 2 * once
