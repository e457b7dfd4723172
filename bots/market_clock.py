"""Market time of a SIM account: the local exchange's clock, asked at start and every ten seconds."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime

from bots.trading_hours import TradingHours
from brokers.lean import httpx
from brokers.transport import KeepAliveTransport
from shared.clock import SystemClock

EVERY_S = 10.0


class MarketClock:
    def __init__(self, url: str, clock: SystemClock, hours: TradingHours) -> None:
        self._url, self._clock, self._hours = url, clock, hours
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback without TLS: no authorities to load
        self._client = httpx.AsyncClient(
            transport=KeepAliveTransport(plain, keepalive_s=60.0, max_connections=1), trust_env=False, timeout=3.0
        )

    async def read(self) -> bool:
        """Set market time from the exchange; False when it does not answer (the last setting runs on)."""
        try:
            answer = (await self._client.get(self._url)).raise_for_status().json()
            market, speed = datetime.fromisoformat(answer["market"]), float(answer["speed"])
            always = answer["sessions"] == "always"
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            return False
        if speed != 1.0 or abs((market - self._clock.wall_now()).total_seconds()) > 1.0:
            self._clock.set_market(market, speed)
        self._hours.always = always
        return True

    async def first(self) -> None:
        """Wait until the exchange has told its time: without it no bar, session or limit means anything."""
        while not await self.read():  # noqa: ASYNC110  another process's clock has no event to wait for
            await asyncio.sleep(1.0)

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.read()

    async def close(self) -> None:
        await self._client.aclose()
