"""The call budget: never more than the broker counts, urgent calls first."""

import asyncio

import pytest

from brokers.pacing import Pace, Pacer, Priority
from shared.clock import SystemClock
from shared.domain.errors import RateLimited

CLOCK = SystemClock()


def most_in_a_window(times: list[float], window_s: float) -> int:
    return max(sum(start <= other < start + window_s for other in times) for start in times)


async def granted(pacer: Pacer, calls: int, priority: Priority = Priority.EXIT) -> list[float]:
    times: list[float] = []

    async def one() -> None:
        await pacer.acquire(priority)
        times.append(CLOCK.monotonic())

    await asyncio.gather(*(one() for _ in range(calls)))
    return times


async def test_no_window_holds_more_calls_than_the_pace_allows() -> None:
    times = await granted(Pacer("T", Pace(5, 0.2), CLOCK), 17)
    assert len(times) == 17
    # The grant is stamped a moment before the caller runs, hence the narrower window.
    assert most_in_a_window(times, 0.19) <= 5
    assert times[-1] - times[0] >= 0.6


async def test_reads_leave_the_reserved_share_to_orders() -> None:
    pacer = Pacer("T", Pace(4, 5.0, reserved=2), CLOCK)
    await granted(pacer, 2, Priority.READ)
    with pytest.raises(RateLimited):
        await pacer.acquire(Priority.READ, max_wait_s=0.02)
    await pacer.acquire(Priority.ENTRY, max_wait_s=0.02)
    with pytest.raises(RateLimited):
        await pacer.acquire(Priority.ENTRY, max_wait_s=0.02)
    await pacer.acquire(Priority.EXIT, max_wait_s=0.02)


async def test_a_question_about_the_account_overtakes_quotes_and_has_a_share_of_its_own() -> None:
    pacer = Pacer("T", Pace(6, 5.0, reserved=3), CLOCK)
    await granted(pacer, 3, Priority.READ)
    quotes = [asyncio.create_task(pacer.acquire(Priority.READ)) for _ in range(50)]
    await asyncio.sleep(0)
    await pacer.acquire(Priority.ACCOUNT, max_wait_s=0.02)
    with pytest.raises(RateLimited):
        await pacer.acquire(Priority.ACCOUNT, max_wait_s=0.02)
    await pacer.acquire(Priority.ENTRY, max_wait_s=0.02)
    await pacer.acquire(Priority.EXIT, max_wait_s=0.02)
    assert not any(one.done() for one in quotes)
    for one in quotes:
        one.cancel()


async def test_an_exit_overtakes_reads_that_wait() -> None:
    pacer = Pacer("T", Pace(1, 0.1), CLOCK)
    order: list[str] = []

    async def call(name: str, priority: Priority) -> None:
        await pacer.acquire(priority)
        order.append(name)

    await pacer.acquire(Priority.READ)
    reads = [asyncio.create_task(call(f"read {n}", Priority.READ)) for n in range(2)]
    await asyncio.sleep(0)
    assert pacer.budget().waiting == 2
    await asyncio.gather(*reads, call("exit", Priority.EXIT))
    assert order == ["exit", "read 0", "read 1"]


async def test_too_many_stops_everything_for_a_while_and_halves_the_pace() -> None:
    pacer = Pacer("T", Pace(10, 1.0), CLOCK)
    pacer.back_off(0.1)
    started = CLOCK.monotonic()
    await pacer.acquire(Priority.EXIT)
    assert CLOCK.monotonic() - started >= 0.09
    assert pacer.budget().limit_per_s == 5
    assert pacer.budget().limited_total == 1


async def test_a_caller_who_gave_up_takes_no_turn() -> None:
    pacer = Pacer("T", Pace(1, 0.15), CLOCK)
    await pacer.acquire(Priority.READ)
    waiting = asyncio.create_task(pacer.acquire(Priority.READ))
    await asyncio.sleep(0)
    waiting.cancel()
    await pacer.acquire(Priority.READ, max_wait_s=0.3)
    assert pacer.budget().waiting == 0
