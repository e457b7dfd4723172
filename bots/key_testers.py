"""Fleet's short-lived children: one per account whose key is to be tested while its bot does not run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from shared.clock import Clock
from shared.config import ROOT

AGAIN_AFTER_S = 10.0  # a tester that could not answer is not started again and again


class KeyTesters:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._started: dict[int, float] = {}  # account → monotonic

    def tend(self, asked: Iterable[int]) -> None:
        """Start a tester for each account that asks and has none; collect those that ended."""
        self._running = {account: one for account, one in self._running.items() if one.poll() is None}
        now = self._clock.monotonic()
        for account_id in asked:
            if account_id in self._running or now - self._started.get(account_id, -AGAIN_AFTER_S) < AGAIN_AFTER_S:
                continue
            command = [sys.executable, "-m", "bots", "--account", str(account_id), "--test-key"]
            self._running[account_id] = subprocess.Popen(command, cwd=ROOT)
            self._started[account_id] = now

    def busy(self, account_id: int) -> bool:
        """True while a tester holds the account's lock."""
        return account_id in self._running

    def stop(self) -> None:
        for one in self._running.values():
            one.terminate()
        for one in self._running.values():
            one.wait()
