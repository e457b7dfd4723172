"""Jobs in market time: run when due, made good or skipped when missed, tried again when the broker is away."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bots.journal import Outgoing
from bots.schedule import Job, Missed, Schedule
from shared.domain.errors import BrokerUnavailable, NotSupported
from tests.fakes import FakeClock

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 10:00 in New York


class Desk:
    """A schedule of one job over facts that outlive it."""

    def __init__(self, run: Callable[[], Awaitable[str]] | None = None, **job: object) -> None:
        self.clock, self.facts, self.rows, self.runs = FakeClock(FRIDAY), dict[str, str](), list[Outgoing](), 0
        self._run = run or self.count
        self.job = job
        self.schedule = self.start()

    async def count(self) -> str:
        self.runs += 1
        return "done"

    def start(self) -> Schedule:
        fields = {"name": "job", "at": time(9), "missed": Missed.RUN, "run": self._run} | self.job
        weekday = lambda at: at.weekday() < 5  # noqa: E731
        return Schedule(
            (Job(**fields),),  # type: ignore[arg-type]
            NEW_YORK, weekday, self.clock, dict(self.facts), self.remember, self.rows.extend,
        )  # fmt: skip

    async def remember(self, name: str, value: str) -> None:
        self.facts[name] = value

    def outcomes(self) -> list[str]:
        return [json.loads(row.body)["outcome"] for row in self.rows]

    async def pass_time(self, **by: float) -> None:
        self.clock.pass_s(timedelta(**by).total_seconds())
        await self.schedule.run_due()


async def test_a_turn_runs_once_however_often_it_is_looked_at_and_a_restart_does_not_repeat_it() -> None:
    desk = Desk()
    for _ in range(3):
        await desk.schedule.run_due()
    desk.schedule = desk.start()
    await desk.schedule.run_due()
    assert desk.runs == 1 and desk.outcomes() == ["ok"]
    await desk.pass_time(hours=23)  # Saturday 09:00: not a trading day
    assert desk.runs == 1
    await desk.pass_time(days=2)  # Monday 09:00
    assert desk.runs == 2


async def test_turns_missed_while_the_bot_was_away_are_made_good_by_one_run() -> None:
    desk = Desk()
    await desk.schedule.run_due()
    await desk.pass_time(days=4)
    assert desk.runs == 2 and desk.outcomes() == ["ok", "ok"]


async def test_a_job_of_its_hour_is_skipped_when_the_hour_is_over() -> None:
    desk = Desk(missed=Missed.SKIP)
    await desk.schedule.run_due()  # due at 09:00, it is 10:00
    assert desk.runs == 0 and desk.outcomes() == ["skipped"]
    await desk.pass_time(days=2, hours=23)  # Monday 09:00 sharp
    assert desk.runs == 1


async def test_a_job_of_every_start_runs_at_each_start_too() -> None:
    desk = Desk(at_start=True)
    await desk.schedule.run_due()
    await desk.schedule.run_due()
    assert desk.runs == 1
    desk.schedule = desk.start()
    await desk.schedule.run_due()
    await desk.schedule.run_due()
    assert desk.runs == 2


async def test_a_failed_job_is_tried_again_later_and_not_at_once() -> None:
    answers: list[Exception | None] = [BrokerUnavailable("T", "-", "away"), BrokerUnavailable("T", "-", "away"), None]

    async def run() -> str:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return "at last"

    desk = Desk(run)
    await desk.schedule.run_due()
    await desk.schedule.run_due()
    assert len(answers) == 2
    await desk.pass_time(seconds=15)
    assert len(answers) == 1
    await desk.pass_time(seconds=15)
    assert len(answers) == 1, "the second pause is longer"
    await desk.pass_time(minutes=2)
    assert desk.outcomes() == ["failed", "ok"]


async def test_what_the_broker_does_not_offer_is_told_and_not_asked_again_that_day() -> None:
    asked = 0

    async def run() -> str:
        nonlocal asked
        asked += 1
        raise NotSupported("T", "-", "no such list")

    desk = Desk(run)
    await desk.schedule.run_due()
    await desk.pass_time(hours=1)
    assert asked == 1 and desk.outcomes() == ["n/a"]
