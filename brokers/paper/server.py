"""Server: opens the state, binds every port, plays the tape until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from brokers.paper import kis_wire, ls_wire
from brokers.paper.accounts import ExEnv, Frames, Profile
from brokers.paper.admin import admin_app
from brokers.paper.clients import DEFAULT_CASH, Cash
from brokers.paper.clock import ExchangeClock, Sessions
from brokers.paper.costs import CostMode
from brokers.paper.exchange import Exchange
from brokers.paper.state import State
from brokers.paper.tls import server_context
from shared.clock import Clock
from shared.domain.errors import ConfigError

HOST = "127.0.0.1"
STEP_S = 0.05  # how often the tape is played
KEEP_S = 0.25  # how often a replay's market time is written down
STOP_S = 1.0  # what open connections get to finish
PORTS = {  # design.md §9
    "kis_rest_live": 18443,
    "kis_rest_mock": 18444,
    "kis_ws_live": 18500,
    "kis_ws_mock": 18501,
    "ls_rest": 18080,
    "ls_ws_live": 19443,
    "ls_ws_mock": 29443,
    "admin": 18900,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    home: Path  # LETSTRADE_HOME; the state lives in its folder `exchange`
    profile: Profile = Profile.COMPAT
    tape: str | None = None  # None: the tape of last time, else synthetic
    speed: float | None = None  # of a replay; None: as last time, else 1
    lead_s: float = 0.0  # wall seconds before the first print of a replay that begins: bots are up when it opens
    port_offset: int = 0
    cash: Cash = field(default_factory=lambda: dict(DEFAULT_CASH))
    costs: CostMode | None = None  # None: strict charges, compat does not
    tls: Path | None = None  # folder of the certificate; None: plain HTTP and WS
    frames: Frames = Frames.DOCUMENTED


def apps(exchange: Exchange) -> dict[str, web.Application]:
    """One application per port; admin last, so that its /healthz answers only when all others listen."""
    return {
        "kis_rest_live": kis_wire.rest_app(exchange, ExEnv.LIVE),
        "kis_rest_mock": kis_wire.rest_app(exchange, ExEnv.MOCK),
        "kis_ws_live": kis_wire.ws_app(exchange, ExEnv.LIVE),
        "kis_ws_mock": kis_wire.ws_app(exchange, ExEnv.MOCK),
        "ls_rest": ls_wire.rest_app(exchange, None),
        "ls_ws_live": ls_wire.ws_app(exchange, ExEnv.LIVE),
        "ls_ws_mock": ls_wire.ws_app(exchange, ExEnv.MOCK),
        "admin": admin_app(exchange),
    }


async def serve(options: Options, clock: Clock) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code.

    Raises:
        ConfigError: the tape, the state or a port cannot be used.
    """
    state = State(options.home / "exchange")
    runners: list[web.AppRunner] = []
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        costs = options.costs or (CostMode.DEFAULT if options.profile is Profile.STRICT else CostMode.NONE)
        state.group(asyncio.get_running_loop().call_soon)
        exchange = Exchange.open(
            state, ExchangeClock(clock), options.tape, options.speed, options.profile, options.cash, options.lead_s,
            costs,
        )  # fmt: skip
        exchange.frames = options.frames
        secure = None if options.tls is None else server_context(options.tls, clock.wall_now())
        for name, app in apps(exchange).items():
            port = PORTS[name] + options.port_offset
            await _listen(app, port, runners, None if name == "admin" else secure)
        log.info(
            "exchange up: admin on %s:%s, tape %s",
            HOST,
            PORTS["admin"] + options.port_offset,
            exchange.tape.source.spec,
        )
        return await _play(exchange, state, stopping)
    finally:
        await asyncio.gather(*(runner.cleanup() for runner in runners))
        state.close()


async def _listen(app: web.Application, port: int, runners: list[web.AppRunner], secure: ssl.SSLContext | None) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_S)
    runners.append(runner)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, reuse_address=True, ssl_context=secure).start()
    except OSError as e:
        raise ConfigError(
            f"port {port} cannot be used",
            f"another program listens on {HOST}:{port}" if e.errno == 98 else str(e),
            "stop that program, or start with another --port-offset",
        ) from e


async def _play(exchange: Exchange, state: State, stopping: asyncio.Event) -> int:
    kept = 0.0
    loop = asyncio.get_running_loop()
    while not stopping.is_set():
        exchange.advance()
        if exchange.clock.sessions is Sessions.CALENDAR and loop.time() - kept >= KEEP_S:
            exchange.keep_tape()
            kept = loop.time()
        if state.failed:
            log.error("a change could not be written to %s; ending, so that memory is loaded from it again", state.path)
            return 1
        try:
            await asyncio.wait_for(stopping.wait(), STEP_S)
        except TimeoutError:
            continue
    exchange.keep_tape()
    state.flush()
    return 0
