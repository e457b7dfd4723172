"""What no trade tells: openings and closings, circuit breakers, VIs and running auctions, looked for twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from enum import Enum

from aiohttp import web

from brokers.paper.accounts import Profile
from brokers.paper.clock import Sessions
from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.channels import EXPECTED, STATUS_TR, VI_ALL, VI_TR
from brokers.paper.ls_wire.pushes import expected_body, venue_trade_body, vi_body
from brokers.paper.ls_wire.registry import Registry
from brokers.paper.ls_wire.status import KOSDAQ, KOSPI, status_changes
from shared.domain.account import Market

EVERY_S = 0.5
DYNAMIC, RELEASED = "2", "0"


class Phase(Enum):
    TRADING = "63"  # a circuit breaker's auction has ended
    STOPPED = "61"  # broken, first step
    CALLING = "62"  # orders are taken for the auction

    @property
    def jstatus(self) -> str:
        return self.value


class Watch:
    def __init__(self, exchange: Exchange, registry: Registry) -> None:
        self._exchange, self._registry = exchange, registry
        self._interrupted: set[str] = set()  # symbols in a VI
        self._phase = Phase.TRADING

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _watch(self) -> None:
        before = self._exchange.clock.market_now()
        while True:
            await asyncio.sleep(EVERY_S)
            now = self._exchange.clock.market_now()
            self.look(before, now)
            before = now

    def look(self, before: datetime, now: datetime) -> None:
        """Tell what changed between two market times. JIF is edge-triggered: nothing is told on registration."""
        if self._exchange.clock.sessions is Sessions.CALENDAR or self._exchange.profile is Profile.STRICT:
            for body in status_changes(before, now):
                self._registry.push((STATUS_TR, "0"), body)
        self._tell_breaker()
        self._tell_interruptions(now)
        self._tell_expected()

    def _tell_breaker(self) -> None:
        """A whole market that rests is broken; only shares that a tape moves can say so."""
        tape = self._exchange.tape
        shares = [one.symbol for one in self._exchange.listings(Market.KRX)]
        if not shares or not all(tape.resting(symbol) for symbol in shares):
            phase = Phase.TRADING
        else:
            phase = Phase.CALLING if all(tape.calling(symbol) for symbol in shares) else Phase.STOPPED
        if phase is not self._phase:
            self._phase = phase
            for board in (KOSPI, KOSDAQ):
                self._registry.push((STATUS_TR, "0"), {"jangubun": board, "jstatus": phase.jstatus})

    def _tell_interruptions(self, now: datetime) -> None:
        for listing in self._exchange.listings(Market.KRX):
            symbol = listing.symbol
            calling = self._phase is Phase.TRADING and self._exchange.tape.calling(symbol)
            if calling is (symbol in self._interrupted):
                continue
            (self._interrupted.add if calling else self._interrupted.discard)(symbol)
            body = vi_body(self._exchange.quote(symbol), DYNAMIC if calling else RELEASED, now)
            for key in (symbol, VI_ALL):
                self._registry.push((VI_TR, key), body, symbol)

    def _tell_expected(self) -> None:
        for listing in self._exchange.listings(Market.KRX):
            wanted = self._registry.wanted(EXPECTED.channels(listing))
            expected = self._exchange.expected(listing.symbol) if wanted else None
            if expected is None:
                continue
            trade = self._exchange.quote(listing.symbol)
            krx = expected_body(self._exchange.book(listing.symbol), *expected, trade.prev_close)
            for channel in wanted:
                plain = channel[0] in {EXPECTED.kospi, EXPECTED.kosdaq}
                body = krx if plain else venue_trade_body(krx, channel[1])
                self._registry.push(channel, body, listing.symbol)
