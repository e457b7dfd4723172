"""Is this process fit to enter? A loop that stood still and a clock that jumped both say: not until things are proven.

Exits and cancels never ask here.
"""

from __future__ import annotations

import faulthandler
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from shared.clock import Clock

EVERY_S = 0.25
LOOKED_AT_EVERY_S = 1.0  # from the thread that writes the stack of a loop that stands still
STALL_S = 5.0  # the loop stood still so long: what it decided before, and the prices it finds waiting, are old
REST_S = 10.0  # after a stall, until queued prices have passed
JUMP_S = 2.0  # wall time against monotonic time, from one turn to the next
SKEW_S = 5.0  # our time against the exchange's
DELAYED_S = 600.0  # a feed that is late by minutes is a delayed feed, which the data-age limit judges
WINDOW = 20  # ticks; the youngest tells the skew, the others were under way


class Fitness:
    """Measures lag, stalls and clocks; `doubt` is why no entry may leave now.

    Touches `alive` each turn, store or no store: a loop that hangs stops touching it, and watchdog kills the process.
    Before that, the stack of a hanging loop is written to the log, for the post-mortem.
    """

    def __init__(self, clock: Clock, alive: Path) -> None:
        self._clock, self._alive = clock, alive
        self._turned = clock.monotonic()
        self._offset = self._wall_offset()
        self._worst = 0.0
        self._rests_until = 0.0
        self._jumped = False  # until the exchange's time agrees again
        self._ages: deque[float] = deque(maxlen=WINDOW)
        self.speed: Callable[[], float] = lambda: 1.0  # market seconds per wall second
        self.on_stall: Callable[[float], None] = lambda stalled_s: None
        self.on_skew: Callable[[float, str], None] = lambda skew_s, source: None

    async def watch(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Turn for ever; ends with the loop."""
        self._alive.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._turned = self._clock.monotonic()
        over = threading.Event()
        threading.Thread(target=self._write_stack, args=(over,), name="stack", daemon=True).start()
        try:
            while True:
                self._alive.touch()
                await sleep(EVERY_S)
                self.turn()
        finally:
            over.set()

    def _write_stack(self, over: threading.Event) -> None:
        """Write every thread's stack once a stall. Our own thread, not faulthandler's timer: that one reads frames while
        they run, and a bot that was frozen by the system ended of it at its thaw (SIGSEGV)."""
        written = -1.0
        while not over.wait(LOOKED_AT_EVERY_S):
            since = self._turned
            if self._clock.monotonic() - since > STALL_S and since != written:
                written = since
                faulthandler.dump_traceback(file=2)

    def turn(self) -> None:
        """One turn of the loop: how late is it, and do the clocks agree."""
        now = self._clock.monotonic()
        late_s = now - self._turned - EVERY_S
        self._turned, self._worst = now, max(self._worst, late_s)
        if late_s > STALL_S:
            self._rests_until = now + REST_S
            self.on_stall(late_s)
        offset = self._wall_offset()
        if abs(offset - self._offset) > JUMP_S:
            self._jumped = True
            self._ages.clear()
            self.on_skew(round(offset - self._offset, 1), "wall")
        self._offset = offset

    def heard(self, at: datetime) -> None:
        """A price that the exchange stamped `at` has just come by the stream.

        In wall seconds: on a fast tape the milliseconds under way are seconds of the market's, and no wrong clock.
        """
        was = self.skew_s()
        self._ages.append((self._clock.market_now() - at).total_seconds() / max(self.speed(), 1.0))
        skew = self.skew_s()
        if skew is None:
            return
        if abs(skew) <= SKEW_S:
            self._jumped = False
        elif was is None or abs(was) <= SKEW_S:
            self.on_skew(round(skew, 1), "exchange")

    def skew_s(self) -> float | None:
        """Our clock less the exchange's; None before enough prices came, or when the feed is a delayed one."""
        if len(self._ages) < WINDOW:
            return None
        youngest = min(self._ages)
        return youngest if abs(youngest) < DELAYED_S else None

    def doubt(self) -> str | None:
        """Why nothing may be entered now; asked again at the last line, for the stall may lie between decision and wire."""
        now = self._clock.monotonic()
        if now - self._turned > STALL_S:
            return f"봇이 {now - self._turned:.0f}초 멈춰 있었음"
        if now < self._rests_until:
            return f"봇이 멈췄다 돌아옴: {self._rests_until - now:.0f}초 뒤 다시 판단"
        if self._jumped or abs(self._wall_offset() - self._offset) > JUMP_S:
            return "시계가 뛰었음: 거래소 시각과 맞는지 확인 중"
        skew = self.skew_s()
        if skew is not None and abs(skew) > SKEW_S:
            return f"시계가 거래소와 {skew:+.1f}초 다름"
        return None

    def read_lag_ms(self) -> float:
        """The worst delay since the last reading."""
        worst, self._worst = self._worst, 0.0
        return worst * 1000

    def _wall_offset(self) -> float:
        return self._clock.wall_now().timestamp() - self._clock.monotonic()
