"""Floors to measure against, in the same run: the least that plain Python can do for the same answer."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from math import sqrt
from random import Random
from typing import Any


class Average:
    __slots__ = ("at", "count", "kept", "size", "total")

    def __init__(self, size: int) -> None:
        self.size, self.kept, self.at, self.total, self.count = size, [0.0] * size, 0, 0.0, 0

    def update(self, value: float) -> float | None:
        at = self.at
        kept = self.kept
        self.total += value - kept[at]
        kept[at] = value
        at += 1
        self.at = 0 if at == self.size else at
        if self.count < self.size:
            self.count += 1
            if self.count < self.size:
                return None
        return self.total / self.size


class Smoothed:
    __slots__ = ("share", "value")

    def __init__(self, size: int) -> None:
        self.share, self.value = 2.0 / (size + 1), None

    def update(self, value: float) -> float:
        now = self.value
        now = self.value = value if now is None else now + self.share * (value - now)
        return now


class Strength:
    __slots__ = ("before", "count", "down", "size", "up")

    def __init__(self, size: int) -> None:
        self.size, self.before, self.up, self.down, self.count = size, None, 0.0, 0.0, 0

    def update(self, value: float) -> float | None:
        before = self.before
        self.before = value
        if before is None:
            return None
        step = value - before
        up, down = (step, 0.0) if step > 0 else (0.0, -step)
        if self.count < self.size:
            self.up += up / self.size
            self.down += down / self.size
            self.count += 1
            if self.count < self.size:
                return None
        else:
            self.up += (up - self.up) / self.size
            self.down += (down - self.down) / self.size
        both = self.up + self.down
        return 100.0 * self.up / both if both else 50.0


class Band:
    __slots__ = ("at", "count", "kept", "low", "size", "squares", "total", "up")

    def __init__(self, size: int) -> None:
        self.size, self.kept, self.at, self.total, self.squares, self.count = size, [0.0] * size, 0, 0.0, 0.0, 0
        self.up = self.low = 0.0

    def update(self, value: float) -> float | None:
        kept, at = self.kept, self.at
        old = kept[at]
        kept[at] = value
        self.total += value - old
        self.squares += value * value - old * old
        at += 1
        self.at = 0 if at == self.size else at
        if self.count < self.size:
            self.count += 1
            if self.count < self.size:
                return None
        mean = self.total / self.size
        variance = self.squares / self.size - mean * mean
        spread = 2 * sqrt(variance) if variance > 0 else 0.0
        self.up, self.low = mean + spread, mean - spread
        return mean


def messages(count: int, day: str, seed: int = 3) -> list[str]:
    """Trade messages of a Korean broker's shape: 46 fields, a walk around 70,000 won, all within one minute."""
    random, price, total, found = Random(seed), 70_000, 0, []
    for i in range(count):
        price = max(1000, price + random.choice((-100, 0, 100)))
        volume = random.randint(1, 500)
        total += volume
        fields = ["0"] * 46
        fields[0], fields[1], fields[2], fields[12], fields[13] = (
            "005930",
            "100015",
            str(price),
            str(volume),
            str(total),
        )
        fields[33], fields[45] = day, str(i)
        found.append("0|H0STCNT0|001|" + "^".join(fields))
    return found


def decider() -> Callable[[str], bool]:
    """The floor of a decision: a tick's text taken apart, four averages moved on, one rule asked."""
    fast, slow, strength, band = Average(10), Average(30), Strength(14), Band(20)

    def decide(message: str) -> bool:
        fields = message.split("^", 14)
        price = int(fields[2])
        int(fields[12]), int(fields[13])
        a, b, r = fast.update(price), slow.update(price), strength.update(price)
        band.update(price)
        return a is not None and b is not None and r is not None and a > b and r < 70 and price > band.low

    return decide


def nanoseconds(run: Callable[[Any], Any], inputs: Iterable[Any], rounds: int = 9) -> tuple[float, float]:
    """Return (quickest round, spread percent) of one call, loop cost included: others share this machine."""
    given = list(inputs)
    timed = []
    for one in given:
        run(one)
    for _ in range(rounds):
        gc.collect()
        started = time.perf_counter_ns()
        for one in given:
            run(one)
        timed.append((time.perf_counter_ns() - started) / len(given))
    best = min(timed)
    return best, 100 * (max(timed) - best) / best


def latencies(run: Callable[[Any], Any], inputs: Iterable[Any]) -> tuple[float, float]:
    """Return p50 and p99 in microseconds of single calls."""
    clock, found = time.perf_counter_ns, []
    for one in inputs:
        started = clock()
        run(one)
        found.append(clock() - started)
    found.sort()
    return found[len(found) // 2] / 1000, found[int(len(found) * 0.99)] / 1000
