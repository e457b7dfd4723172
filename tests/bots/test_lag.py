"""A bot that stood still, or whose clock is wrong, enters nothing; it goes on by itself when things are proven."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bots.lag import EVERY_S, REST_S, STALL_S, WINDOW, Fitness
from tests.fakes import START, FakeClock


class Bent(FakeClock):
    """A clock whose wall can be set."""

    def bend(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Bent:
    return Bent(START)


@pytest.fixture
def fitness(clock: Bent, tmp_path: Path) -> Fitness:
    return Fitness(clock, tmp_path / "alive")


def turn(fitness: Fitness, clock: FakeClock, seconds: float = EVERY_S) -> None:
    clock.pass_s(seconds)
    fitness.turn()


def ticks(fitness: Fitness, clock: FakeClock, skew_s: float = 0.0) -> None:
    for _ in range(WINDOW):
        fitness.heard(clock.market_now() - timedelta(seconds=skew_s))


def test_a_steady_loop_may_enter(fitness: Fitness, clock: Bent) -> None:
    for _ in range(10):
        turn(fitness, clock)
    ticks(fitness, clock, 0.4)
    assert fitness.doubt() is None


def test_a_stall_is_seen_at_the_last_line_before_the_loop_itself_knows(fitness: Fitness, clock: Bent) -> None:
    turn(fitness, clock)
    clock.pass_s(STALL_S + 1)
    assert fitness.doubt() is not None


def test_after_a_stall_entries_wait_and_it_is_told_once(fitness: Fitness, clock: Bent) -> None:
    told: list[float] = []
    fitness.on_stall = told.append
    turn(fitness, clock, 20)
    assert len(told) == 1 and told[0] > 19
    assert fitness.doubt() is not None
    for _ in range(int(REST_S / EVERY_S) + 1):
        turn(fitness, clock)
    assert fitness.doubt() is None and len(told) == 1


@pytest.mark.parametrize("seconds", [-3600.0, -3.0, 3.0, 86400.0])
def test_a_jump_of_the_wall_clock_stops_entries_until_the_exchange_agrees(
    fitness: Fitness, clock: Bent, seconds: float
) -> None:
    told: list[tuple[float, str]] = []
    fitness.on_skew = lambda skew, source: told.append((skew, source))
    turn(fitness, clock)
    clock.bend(seconds)
    turn(fitness, clock)
    assert told == [(seconds, "wall")]
    for _ in range(400):
        turn(fitness, clock)
    assert fitness.doubt() is not None  # time alone heals nothing
    ticks(fitness, clock)
    assert fitness.doubt() is None


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_a_clock_that_is_not_the_exchanges_stops_entries(fitness: Fitness, clock: Bent, skew: float) -> None:
    told: list[tuple[float, str]] = []
    fitness.on_skew = lambda found, source: told.append((found, source))
    turn(fitness, clock)
    ticks(fitness, clock, skew)
    ticks(fitness, clock, skew)
    assert fitness.doubt() is not None
    assert told == [(skew, "exchange")]
    ticks(fitness, clock)
    assert fitness.doubt() is None


def test_a_delayed_feed_is_no_wrong_clock(fitness: Fitness, clock: Bent) -> None:
    turn(fitness, clock)
    ticks(fitness, clock, 900)
    assert fitness.doubt() is None


def test_the_way_of_a_price_on_a_fast_tape_is_no_wrong_clock(fitness: Fitness, clock: Bent) -> None:
    """20 ms under way are 8 s of the market at 400 times its pace."""
    turn(fitness, clock)
    fitness.speed = lambda: 400.0
    ticks(fitness, clock, 8)
    assert fitness.doubt() is None
    ticks(fitness, clock, 400 * 6)  # six seconds of ours are one
    assert fitness.doubt() is not None


def test_one_late_price_is_no_skew(fitness: Fitness, clock: Bent) -> None:
    turn(fitness, clock)
    ticks(fitness, clock)
    fitness.heard(clock.market_now() - timedelta(seconds=60))
    assert fitness.doubt() is None


def test_a_jump_is_seen_at_the_last_line_before_the_loop_itself_knows(fitness: Fitness, clock: Bent) -> None:
    """A paused machine: its monotonic clock stood still, its wall clock was set right on waking."""
    turn(fitness, clock)
    assert fitness.doubt() is None
    clock.bend(3600)
    assert fitness.doubt() is not None


async def test_the_stack_of_a_loop_that_stands_still_is_written_once(
    fitness: Fitness, clock: Bent, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.lag.LOOKED_AT_EVERY_S", 0.01)
    watching = asyncio.create_task(fitness.watch(asyncio.sleep))
    await asyncio.sleep(0)
    clock.pass_s(STALL_S + 1)
    said = ""
    for _ in range(500):  # the loop is held here, as in a rule that hangs
        time.sleep(0.01)
        said += capfd.readouterr().err
        if "test_the_stack_of_a_loop_that_stands_still" in said:
            break
    time.sleep(0.1)
    said += capfd.readouterr().err
    watching.cancel()
    assert said.count("Current thread") == 1 and "in test_the_stack_of_a_loop_that_stands_still" in said
