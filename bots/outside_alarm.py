"""A sign of life to a service outside this machine, which raises the alarm when signs stop: power, network, a dead host.

Everything here that tells of trouble ends with the machine it runs on. Any service that takes a plain GET and tells of its
absence will do. Signs are given by the watchdog, and only while it finds all well.
"""

from __future__ import annotations

import threading

import httpx

from shared.clock import Clock
from shared.logs import log

EVERY_S = 60.0
TIMEOUT_S = 10.0


class OutsideAlarm:
    """Gives a sign at most every minute, in a thread of its own: whoever watches the bots never waits for a network."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock = url, clock
        self._given = -EVERY_S
        self._thread: threading.Thread | None = None
        self._away = False

    def all_well(self) -> None:
        """Say so outside, if the last time is a minute ago and that call is over."""
        now = self._clock.monotonic()
        if now - self._given < EVERY_S or (self._thread is not None and self._thread.is_alive()):
            return
        self._given = now
        self._thread = threading.Thread(target=self._give, name="outside-alarm", daemon=True)
        self._thread.start()

    def _give(self) -> None:
        """The address is a secret: who knows it can keep the alarm silent. It is in no line of any log."""
        try:
            answer = httpx.get(self._url, timeout=TIMEOUT_S)
            why = "" if answer.is_success else f"HTTP {answer.status_code}"
        except httpx.HTTPError as error:
            why = type(error).__name__
        if bool(why) is not self._away:
            self._away = bool(why)
            said = "outside alarm not reached" if why else "outside alarm reached again"
            log("watchdog", said, level="warning" if why else "info", why=why)
