"""One call budget per app key: how long a call must wait so that the broker never has to say "too many"."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from brokers.contract import RateBudget
from shared.clock import Clock
from shared.domain.errors import RateLimited

RECOVER_AFTER_S = 10.0  # quiet time after which one call per window of a lowered limit comes back


class Priority(IntEnum):
    """Who goes first. EXIT is for cancels and orders that reduce; READ never touches the reserved share.

    ACCOUNT is what tells the account's own state (open orders, executions, holdings, cash): what resolves an order of
    unknown outcome must not queue behind a thousand quotes.
    """

    EXIT = 0
    ENTRY = 1
    ACCOUNT = 2
    READ = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """`calls` in any `window_s` seconds, of which `reserved` are kept from READ.

    A third of those are ACCOUNT's to use, half are ENTRY's, all are EXIT's.
    """

    calls: int
    window_s: float = 1.0
    reserved: int = 0


class Pacer:
    """Grant calls in order of priority inside a sliding window.

    A sliding window, not a refilling bucket: a bucket of 18 lets 35 calls into one second after a pause, and the brokers
    count by the second.
    """

    def __init__(self, broker: str, pace: Pace, clock: Clock) -> None:
        self._broker, self._pace, self._clock = broker, pace, clock
        self._calls = pace.calls  # lowered for a while after the broker said "too many"
        self._used: deque[float] = deque()  # monotonic time of each granted call of the window
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._closed_until = 0.0
        self._changed_at = 0.0
        self._limited_total = 0

    async def acquire(self, priority: Priority, max_wait_s: float = 30.0) -> None:
        """Return when the call may go.

        Raises:
            RateLimited: its turn would not come within `max_wait_s`; nothing was sent.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        self._grant()
        try:
            async with asyncio.timeout(max_wait_s):
                await turn
        except TimeoutError:
            raise RateLimited(
                self._broker, "-", f"no turn within {max_wait_s:g} s: the call budget is used up"
            ) from None

    def back_off(self, seconds: float) -> None:
        """The broker said "too many": stop for `seconds`, then go on at half the pace until it has been quiet."""
        now = self._clock.monotonic()
        self._limited_total += 1
        self._calls = max(1, self._calls // 2)
        self._changed_at = now
        self._closed_until = max(self._closed_until, now + seconds)

    def budget(self) -> RateBudget:
        self._forget(self._clock.monotonic())
        waiting = sum(not turn.done() for _, _, turn in self._waiting)
        return RateBudget(self._calls / self._pace.window_s, len(self._used), waiting, self._limited_total)

    def _grant(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.monotonic()
        self._forget(now)
        while self._waiting:
            priority, _, turn = self._waiting[0]
            if not turn.done():
                wait_s = self._wait_s(priority, now)
                if wait_s > 0:
                    self._timer = asyncio.get_running_loop().call_later(wait_s, self._grant)
                    return
                self._used.append(now)
                turn.set_result(None)
            heapq.heappop(self._waiting)

    def _wait_s(self, priority: Priority, now: float) -> float:
        if now < self._closed_until:
            return self._closed_until - now
        share = max(1, self._calls - self._kept_from(priority))
        if len(self._used) < share:
            return 0.0
        # The call that must leave the window before this one fits.
        return max(0.001, self._used[len(self._used) - share] + self._pace.window_s - now)

    def _kept_from(self, priority: Priority) -> int:
        reserved = self._pace.reserved
        return {
            Priority.EXIT: 0,
            Priority.ENTRY: reserved // 2,
            Priority.ACCOUNT: reserved - reserved // 3,
            Priority.READ: reserved,
        }[priority]

    def _forget(self, now: float) -> None:
        while self._used and now - self._used[0] >= self._pace.window_s:
            self._used.popleft()
        if self._calls < self._pace.calls and now - self._changed_at >= RECOVER_AFTER_S:
            self._calls, self._changed_at = self._calls + 1, now
