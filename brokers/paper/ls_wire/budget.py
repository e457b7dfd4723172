"""How often a key may call: each TR by the second, and everything but orders from one slow purse (ls.md §6.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PURSE = 360.0  # what a rested key may ask for at once; "refills over about two minutes"
REFILL_PER_S = 3.0
BIG_BODY = 100_000  # bytes of an answer that count as one call more


@dataclass(slots=True)
class _Purse:
    left: float = PURSE
    at: float = field(default=0.0)


class Budget:
    """`now` gives wall seconds. Keys are told apart by fingerprint."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._used: dict[tuple[str, str], deque[float]] = {}  # (key, tr) -> this second's calls
        self._purses: dict[str, _Purse] = {}

    def take(self, key: str, tr: str, per_s: int, *, order: bool) -> bool:
        """Count a call if it is allowed now. Orders live outside the purse."""
        now = self._now()
        used = self._used.setdefault((key, tr), deque())
        while used and now - used[0] >= 1.0:
            used.popleft()
        if len(used) >= per_s or not (order or self._spend(key, now)):
            return False
        used.append(now)
        return True

    def weigh(self, key: str, size: int) -> None:
        """Charge an answer of so many bytes that was given."""
        purse = self._purses.get(key)
        if purse is not None:
            purse.left -= size // BIG_BODY

    def _spend(self, key: str, now: float) -> bool:
        purse = self._purses.setdefault(key, _Purse(at=now))
        purse.left = min(PURSE, purse.left + (now - purse.at) * REFILL_PER_S)
        purse.at = now
        if purse.left < 1:
            return False
        purse.left -= 1
        return True
