"""The console's process: `python -m console.asgi`. Serves gate, routes and pages on 127.0.0.1:LETSTRADE_PORT."""

from __future__ import annotations

import ctypes
import gc
import logging
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path

import streamlit as st
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware import Middleware

from console import wiring
from console.api.app import api_routes
from console.api.health import health_routes
from console.api.otlp import Exporter
from console.cloud.changes import watch
from console.components.frame import in_words, t
from console.gate import BEARER_PATHS, OPEN_PATHS, Gate
from console.services import changes, profit
from console.shell import Shell
from console.theme import streamlit_config
from console.whole_pages import send_whole_pages
from shared import schema
from shared.config import load_settings
from shared.domain.errors import ConfigError, TradingError
from shared.logs import configure

SHARED_S = 0.5  # a quarter of the quickest panel's period
RESTING_S = 1.0  # between two readings that only bots have moved
KEPT_UP_EVERY_S = 1.0  # what somebody looks at
PROFIT_EVERY_S = 300.0
M_ARENA_MAX = -8  # malloc.h
EXIT_CONFIG = 78  # supervisord: do not restart
_log = logging.getLogger("console")


def main() -> int:
    """Serve until stopped; 78 with what / why / now when a person must mend something first."""
    _few_arenas()
    try:
        settings = load_settings()
        wired = wiring.wire(settings)
        require_store(wired.engine)
    except ConfigError as error:
        sys.stderr.write(f"{error.what}\n{error.why}\n{error.now}\n")
        return EXIT_CONFIG
    configure("console")
    wiring.use(wired)
    send_whole_pages()
    changes.share(SHARED_S, rest_s=RESTING_S)
    threading.Thread(target=_keep_profit, args=(wired,), name="profit", daemon=True).start()
    threading.Thread(target=_keep_up, args=(wired,), name="keep-up", daemon=True).start()
    watch(settings, changes.forget)
    own = OPEN_PATHS | BEARER_PATHS
    app = st.App(
        Path(__file__).with_name("app.py"),
        routes=[*health_routes(wired), *api_routes(wired)],
        middleware=[Middleware(Gate, wiring=wired), Middleware(Shell, lang=settings.lang, routes=own)],
        on_script_error=_script_failed,
        lifespan=partial(_listening, settings.port),
    )
    if settings.otlp_endpoint is not None:
        Exporter(wired, settings.otlp_endpoint).start()
    app.run(config=streamlit_config(settings.port, settings.public_host))
    return 0


@asynccontextmanager
async def _listening(port: int, _app: st.App) -> AsyncIterator[None]:
    _send_at_once(port)
    yield


def _send_at_once(port: int) -> None:
    """Have what is written leave at once: Streamlit binds its socket in a way that asyncio does not take for TCP, so the
    end of a page waited for the browser's word on its beginning (Nagle), and a browser waits 40 ms before it gives one.
    What is set on the socket that listens holds for all it accepts.
    """
    for number in [int(one.name) for one in Path("/dev/fd").iterdir()]:
        with suppress(OSError), closing(socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM)) as one:
            if one.getsockname()[1:2] == (port,):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _few_arenas() -> None:
    """Every run of a page has a thread of its own, and glibc gives each thread a heap that it never hands back."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_ARENA_MAX, 2)


def _hand_back() -> None:
    """Give the system what a large piece of work used and no longer needs: glibc keeps it otherwise."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _set_aside() -> None:
    """Leave what stays for as long as the process out of every later search for garbage: 0.2 s that all pages wait.

    Once, early: a cycle that is set aside is never found.
    """
    gc.collect()
    gc.freeze()


def _keep_profit(wired: wiring.Wiring) -> None:
    """Have the year's earnings reckoned before somebody asks; goes on through whatever the store does."""
    started = False
    while True:
        try:
            profit.keep(wired)
            _hand_back()
            if not started:
                started = True
                _set_aside()
        except SQLAlchemyError as error:
            _log.warning("profit was not brought up to date: %s", type(error).__name__)
        time.sleep(PROFIT_EVERY_S)


def _keep_up(wired: wiring.Wiring) -> None:
    """Have what viewers look at read before they ask; a store that is away is told to them by their own questions."""
    told = False
    while True:
        time.sleep(KEPT_UP_EVERY_S)
        try:
            changes.keep_up(wired, KEPT_UP_EVERY_S)
            told = False
        except Exception as error:  # noqa: BLE001  (a thread's edge: whatever a reading raises, its own viewer is told)
            if not told:
                _log.warning("panels ask for themselves: %s", type(error).__name__, exc_info=error)
            told = True


def require_store(engine: Engine) -> None:
    """Refuse a store that does not answer or has another schema; ConfigError says what to do."""
    try:
        schema.require_current(engine)
    except SQLAlchemyError as error:
        raise ConfigError(
            "the database cannot be reached",
            type(error).__name__,
            "check DATABASE_URL or SUPABASE_DB_URL, and that the server runs",
        ) from error


def _script_failed(error: Exception) -> bool:
    """Log with its trace and tell the person without details; True: Streamlit shows nothing of its own."""
    _log.error("page failed", exc_info=error)
    if isinstance(error, TradingError):
        st.error("\n\n".join(map(in_words, (error.what, error.why, error.now))), icon=":material/block:")
    else:
        st.error(t("page.failed"), icon=":material/error:")
    return True


if __name__ == "__main__":
    raise SystemExit(main())
