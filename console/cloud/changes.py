"""Changes of the store as they happen, by Supabase Realtime. It only wakes: what changed is read from the store.

So nothing depends on it. While it is away everything is found by polling, as without a project; a change that was missed
while the line was down costs one poll.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from console.cloud.project import configured, project_of
from shared.config import Settings
from shared.domain.errors import ConfigError
from shared.logs import log
from shared.store.realtime import TABLES as CONSOLE_TABLES

if TYPE_CHECKING:
    from realtime import AsyncRealtimeClient

CONFIRMED_S = 20.0  # a project that slept takes its time to begin telling
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # between attempts; the last one goes on


class Line(StrEnum):
    OFF = "off"  # no project: polling is the way
    LIVE = "live"
    POLLING = "polling"  # degraded: the project does not answer


class NotTold(Exception):
    """The project answers, and tells no changes; it says why."""


class Changes:
    """Calls `woken` for every change of `tables`. `line` and `why` say how it stands, for whoever shows it."""

    def __init__(self, settings: Settings, tables: tuple[str, ...], woken: Callable[[], None]) -> None:
        self._settings, self._tables, self._woken = settings, tables, woken
        self.line, self.why = Line.OFF, ""
        self._refusal = ""
        self._failed, self._confirmed = asyncio.Event(), asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop, through every outage; returns at once where no project is configured."""
        if not configured(self._settings):
            return
        logging.getLogger("realtime").setLevel(logging.CRITICAL)  # it logs each retry; we say once what changed
        attempt = 0
        while not stop.is_set():
            try:
                await self._listen(stop)
                attempt = 0
            except ConfigError as error:
                self._is(Line.POLLING, error.why)
                return  # a missing key does not come back by itself
            except NotTold as error:
                self._is(Line.POLLING, str(error))
            except Exception as error:  # noqa: BLE001  (a helper's edge: whatever its library raises, we poll)
                self._is(Line.POLLING, type(error).__name__)
            pause = PAUSES_S[min(attempt, len(PAUSES_S) - 1)]
            attempt += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    def in_thread(self) -> threading.Thread:
        """Run beside a program that has no loop of its own to give; ends with the process."""
        thread = threading.Thread(target=lambda: asyncio.run(self.run(asyncio.Event())), name="realtime", daemon=True)
        thread.start()
        return thread

    async def _listen(self, stop: asyncio.Event) -> None:
        from realtime import AsyncRealtimeClient

        project = project_of(self._settings)
        line = AsyncRealtimeClient(
            f"{project.url}/realtime/v1", token=project.server_key, auto_reconnect=False, max_retries=1
        )
        self._failed.clear()
        self._confirmed.clear()
        try:
            await self._subscribe(line)
            # The join is answered before the database tells: only its own word says that nothing is missed from here on.
            await _first(CONFIRMED_S, stop, self._failed, self._confirmed)
            if stop.is_set():
                return
            if self._failed.is_set() or not self._confirmed.is_set():
                raise NotTold(self._refusal or "no word that changes are told")
            self._is(Line.LIVE, "")
            self._woken()  # what was missed while the line was down
            await _first(None, stop, self._failed)
        finally:
            with contextlib.suppress(Exception):
                await line.close()
        if not stop.is_set():
            raise ConnectionError("the line was cut")

    async def _subscribe(self, line: AsyncRealtimeClient) -> None:
        from realtime import RealtimePostgresChangesListenEvent, RealtimeSubscribeStates

        channel = line.channel("letstrade-desk")
        for table in self._tables:
            channel.on_postgres_changes(
                RealtimePostgresChangesListenEvent.All, self._on_change, table=table, schema="public"
            )

        def state(status: Any, error: Exception | None) -> None:
            if status is not RealtimeSubscribeStates.SUBSCRIBED:
                self._refusal = _said(error) or str(status)
                self._failed.set()

        channel.on_system(lambda told: self._confirmed.set() if told.extension == "postgres_changes" else None)
        self._refusal = ""
        await channel.subscribe(state)

    def _on_change(self, _payload: Any) -> None:
        self._woken()

    def _is(self, line: Line, why: str) -> None:
        if (line, why) != (self.line, self.why):
            log("realtime", line.value, level="info" if line is Line.LIVE else "warning", why=why)
        self.line, self.why = line, why


def _said(error: Exception | None) -> str:
    """The project's own sentence; the client hands it on inside of its JSON."""
    text = str(error or "")
    with contextlib.suppress(ValueError, TypeError, KeyError):
        text = str(json.loads(text)["message"])
    return text[:300]


async def _first(within_s: float | None, *events: asyncio.Event) -> None:
    """Wait for one of them, or until the time is over."""
    waiting = [asyncio.create_task(one.wait()) for one in events]
    await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


_watching: list[Changes] = []  # one entry once the process watches


def watch(settings: Settings, woken: Callable[[], None]) -> None:
    """Let this process hear of changes, where a project is configured."""
    changes = Changes(settings, CONSOLE_TABLES, woken)
    _watching[:] = [changes]
    if configured(settings):
        changes.in_thread()


def standing() -> tuple[Line, str]:
    """How the line of this process stands, and why; OFF where nobody watches."""
    return (_watching[0].line, _watching[0].why) if _watching else (Line.OFF, "")
