"""A real bot on the real local exchange in step: market time goes on to the next trade when nothing is on its way.

Both run in this process and speak over loopback sockets, with their journal and their store on disk. Only market time is the
test's: a decision never meets a later price because a machine was slow, so the trades are the same in every run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bots import bot as bot_module
from bots import trader
from bots.backtest.parity import Parity, compare
from bots.bootstrap import Foundation, build
from bots.bot import Bot
from bots.lag import Fitness
from bots.market_data import MarketData
from brokers.pacing import Pacer, Priority
from brokers.paper import server
from brokers.paper.accounts import Profile
from brokers.paper.clients import DEFAULT_CASH
from brokers.paper.clock import ExchangeClock
from brokers.paper.costs import CostMode
from brokers.paper.exchange import Exchange
from brokers.paper.replay import read_bars, walk
from brokers.paper.state import State
from shared import schema
from shared.clock import SystemClock
from shared.config import load_settings
from shared.crypto import load_private, write_keys
from shared.db import open_engine, writing
from shared.domain.order import OrderType
from shared.domain.order_state import OrderStatus
from shared.store import secrets
from tests.bots.stage import Stage
from tests.ports import take_offset

LEAD = timedelta(seconds=30)
ON_ITS_WAY = {OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN}
PATIENCE_S = 180.0  # nothing came for so long …
PATIENCE_TURNS = 30_000  # … and the loop that exchange and bot share turned so often: a busy machine turns it slowly


class LedClock(SystemClock):
    """Wall time of the machine; market time stands until it is led on."""

    def __init__(self, market_at: datetime) -> None:
        super().__init__()
        self.at = market_at

    def market_now(self) -> datetime:
        return self.at

    @property
    def speed(self) -> float:
        return 10_000.0  # a minute of the market takes a few milliseconds

    def set_market(self, market_at: datetime, speed: float) -> None:
        """The exchange tells the time that the test gave it."""


class LedExchangeClock(ExchangeClock):
    def __init__(self, led: LedClock) -> None:
        super().__init__(led)
        self._led = led

    def market_now(self) -> datetime:
        return self._led.at


@dataclass
class Run:
    """What one session left: the stage's store and journal are still there to be read."""

    stage: Stage
    clock: LedClock
    exchange: Exchange
    instants: list[tuple[datetime, frozenset[str]]]
    account: int
    bot: Bot | None = None

    async def play(self, until: datetime | None = None, on_step: Callable[[datetime], None] | None = None) -> None:
        """Trade on up to `until` (market time; None: the end of the tape)."""
        while self.instants and (until is None or self.instants[0][0] < until):
            at, symbols = self.instants.pop(0)
            self.clock.at = at
            self.exchange.advance()
            await self.until(f"the prices of {at}", partial(self._heard, at, symbols))
            await self.until(f"quiet after {at}", self._quiet)
            if on_step is not None:
                on_step(at)

    def _heard(self, at: datetime, symbols: frozenset[str]) -> bool:
        assert self.bot is not None
        last = (self.bot.p.feed.last(symbol) for symbol in symbols)
        return all(one is not None and one.at >= at.replace(microsecond=0) for one in last)

    def _quiet(self) -> bool:
        """Nothing is being written or sent, and the exchange owes no fill that it could give now."""
        assert self.bot is not None
        p = self.bot.p
        self.exchange.advance()
        busy = any(one.status in ON_ITS_WAY or one.request.order_type is OrderType.MARKET for one in p.orders.open())
        owed = bool(p.trader.deferred.waiting) and p.hours.closed_reason(self.clock.market_now()) is None
        return (
            not busy and not owed and not p.state.tasks and not p.trader._dirty and self._filled() == self._executed()
        )

    def _filled(self) -> int:
        assert self.bot is not None
        return sum(one.filled_quantity for one in self.bot.p.orders.all())

    def _executed(self) -> int:
        return sum(e.quantity for e in self.exchange.ledger.events(after=0) if e.type == "FILL")

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        began, turns = time.monotonic(), 0
        while not holds():
            turns += 1
            if turns > PATIENCE_TURNS and time.monotonic() - began > PATIENCE_S:
                up = self.bot is not None and self.bot.p.feed.stream_up
                raise AssertionError(f"after {time.monotonic() - began:.0f} s: {what} (stream up: {up})")
            await asyncio.sleep(0.001)

    def fills(self, symbol: str, opens_at: datetime) -> list[tuple[int, str, int]]:
        """(minute since `opens_at`, side, shares) of every fill, as the exchange's ledger has it."""
        found: dict[tuple[int, str], int] = {}
        for event in self.exchange.ledger.events(after=0):
            if event.type == "FILL" and event.symbol == symbol:
                at = datetime.fromisoformat(str(event.market_at))
                key = (int((at - opens_at) / timedelta(minutes=1)), str(event.side))
                found[key] = found.get(key, 0) + event.quantity
        return sorted((minute, side, shares) for (minute, side), shares in found.items())

    async def told(self) -> None:
        """Wait until the store has everything that the bot wrote down."""
        assert self.bot is not None
        self.bot.p.sync.soon()
        while await self.bot.p.journal.outbox_depth():
            await asyncio.sleep(0.05)

    def parity(self, day: date) -> Parity:
        return compare(self.stage.engine, self.stage.settings.home, self.account, day)

    def orders(self) -> list[Any]:
        assert self.bot is not None
        return self.bot.p.orders.all()


@asynccontextmanager
async def session(
    folder: Path, tapes: Mapping[str, Path], rules: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, **limits: Any
) -> AsyncIterator[Run]:
    """A bot, READY before the first trade, with `rules` (symbols, comma between → text) on a replay of `tapes` (symbol → bars)."""
    monkeypatch.setattr(trader, "TICK_EVERY_S", 0.0)  # every price is judged; at this pace none would be
    monkeypatch.setattr(bot_module, "LIGHT_GAP_S", 0.0)
    monkeypatch.setattr(bot_module, "LOOK_COSTS", 0.1)
    monkeypatch.setattr(Fitness, "doubt", lambda fitness: None)  # the test machine may stall; the market waits for it
    monkeypatch.setattr(Pacer, "acquire", _granted)
    monkeypatch.setattr(MarketData, "poll_silent", _nothing)  # silence means nothing while time stands
    settings = load_settings(
        {"LETSTRADE_HOME": str(folder / "var"), "LETSTRADE_EXCHANGE_PORT_OFFSET": str(take_offset())}
    )
    settings.home.mkdir(parents=True)
    write_keys(settings)
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    with writing(engine) as store:
        secrets.plant_canary(store, load_private(settings).current())
    stage = Stage(folder, settings, engine)
    wide = {
        "max_order_amount": 10**6,
        "max_symbol_amount": 10**7,
        "max_daily_buy": 10**8,
        "max_daily_loss": 10**6,
        "price_collar_pct": 100,
    }
    account = stage.add_account(1, **({k: Decimal(v) for k, v in wide.items()} | {"max_trades_per_day": 5000} | limits))
    for symbols, text in rules.items():
        stage.add_rule(account, text, max_position=10**6, symbol=symbols)
    instants = _instants(tapes)
    clock = LedClock(instants[0][0] - LEAD)
    async with _exchange(stage, tapes, clock) as exchange:
        run = Run(stage, clock, exchange, instants, account)
        base = Foundation(settings, account)
        base.clock = clock
        async with _bot(base, run):
            yield run
    engine.dispose()


def _instants(tapes: Mapping[str, Path]) -> list[tuple[datetime, frozenset[str]]]:
    found: dict[datetime, set[str]] = {}
    for symbol, path in tapes.items():
        for bar in read_bars(symbol, path):
            for one in walk(symbol, bar):
                found.setdefault(one.at, set()).add(symbol)
    return [(at, frozenset(found[at])) for at in sorted(found)]


@asynccontextmanager
async def _exchange(stage: Stage, tapes: Mapping[str, Path], clock: LedClock) -> AsyncIterator[Exchange]:
    state = State(stage.settings.home / "exchange")
    state.group(asyncio.get_running_loop().call_soon)
    tape = "replay:" + ",".join(f"{symbol}={path}" for symbol, path in tapes.items())
    exchange = Exchange.open(
        state, LedExchangeClock(clock), tape, 1.0, Profile.COMPAT, dict(DEFAULT_CASH), LEAD.total_seconds(), CostMode.NONE
    )  # fmt: skip
    runners: list[web.AppRunner] = []
    try:
        for name, app in server.apps(exchange).items():
            await server._listen(app, server.PORTS[name] + stage.settings.exchange_port_offset, runners, None)
        yield exchange
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))
        state.close()


@asynccontextmanager
async def _bot(base: Foundation, run: Run) -> AsyncIterator[None]:
    bot = run.bot = await build(base)
    running = asyncio.create_task(bot.run())
    try:
        await run.until("the bot is ready", lambda: running.done() or _ready(bot, run))
        if running.done():
            running.result()
        yield
    finally:
        bot._stop.set()
        await asyncio.wait_for(running, 60)
        await bot.p.broker.close()
        if bot.p.market_clock is not None:
            await bot.p.market_clock.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(120):
                while await bot.p.journal.outbox_depth():
                    await bot.p.sync.once(claim=False, beat=True)
        await bot.p.journal.close()
        base.link.close()
        base.lock.release()


def _ready(bot: Bot, run: Run) -> bool:
    symbols = {symbol for _, found in run.instants for symbol in found}
    seeded = all(bot.p.chart.window(*key) is not None for key in bot.p.trader.wanted())
    streamed = symbols <= bot.p.market_data._subscribed
    return bot.p.state.state == "READY" and seeded and streamed and bot.p.feed.stream_up


async def _nothing(market_data: MarketData) -> None:
    return None


async def _granted(pacer: Pacer, priority: Priority, max_wait_s: float = 30.0) -> None:
    return None
