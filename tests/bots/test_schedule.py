"""Jobs in market time: run when due, made good or skipped when missed, tried again when the broker is away."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from bots import outgoing
from bots.journal import Outgoing
from bots.schedule import Job, Missed, Schedule
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.errors import BrokerUnavailable, NotFound, NotSupported
from shared.domain.turns import at_clock, sessions_of
from tests.fakes import FakeClock

SESSIONS = {market: sessions_of(market, load()) for market in Market}
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 10:00 in New York


class Desk:
    """A schedule of one job over facts that outlive it."""

    def __init__(self, run: Callable[[], Awaitable[str]] | None = None, **job: object) -> None:
        self.clock, self.facts, self.rows, self.runs = FakeClock(FRIDAY), dict[str, str](), list[Outgoing](), 0
        self.shown: dict[str, dict[str, Any]] = {}
        self._run = run or self.count
        self.job = job
        self.schedule = self.start()

    async def count(self) -> str:
        self.runs += 1
        return "done"

    def start(self) -> Schedule:
        fields = {
            "name": "job",
            "when": at_clock(Market.US, time(9)),
            "missed": Missed.RUN,
            "run": self._run,
        } | self.job
        return Schedule(
            (Job(**fields),),  # type: ignore[arg-type]
            SESSIONS[Market.US], self.clock, dict(self.facts), self.remember, self.rows.extend, self.show,
        )  # fmt: skip

    def show(self, name: str, row: Mapping[str, Any]) -> None:
        self.shown[name] = dict(row)

    async def remember(self, name: str, value: str) -> None:
        self.facts[name] = value

    def outcomes(self) -> list[str]:
        return [json.loads(row.body)["outcome"] for row in self.rows if row.stream == outgoing.JOBS]

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


async def test_a_turn_that_matters_is_told_when_it_was_missed() -> None:
    desk = Desk(missed=Missed.ALERT)
    await desk.schedule.run_due()
    assert desk.runs == 0 and desk.outcomes() == ["skipped"]
    alerts = [json.loads(row.body) for row in desk.rows if row.stream == outgoing.ALERTS]
    assert [one["kind"] for one in alerts] == ["JOB_MISSED"]


async def test_a_paused_job_lets_its_turns_pass_and_is_not_made_good_afterwards() -> None:
    desk = Desk()
    desk.schedule.paused = frozenset({"job"})
    await desk.schedule.run_due()
    assert desk.runs == 0 and desk.outcomes() == ["paused"] and desk.shown["job"]["paused"]
    desk.schedule.paused = frozenset()
    await desk.pass_time(hours=1)
    assert desk.runs == 0 and not desk.shown["job"]["paused"]
    await desk.pass_time(days=3)  # Monday
    assert desk.runs == 1


async def test_a_run_by_hand_leaves_a_row_and_the_next_turn_as_it_was() -> None:
    desk = Desk()
    await desk.schedule.run_due()
    note = await desk.schedule.run_now("job")
    assert note == "done" and desk.outcomes() == ["ok", "ok"]
    await desk.pass_time(days=3)
    assert desk.runs == 3
    with pytest.raises(NotFound):
        await desk.schedule.run_now("no such job")


async def test_the_next_turn_is_shown_and_follows_the_calendar_over_thanksgiving() -> None:
    desk = Desk()
    desk.clock.now = datetime(2026, 11, 25, 15, tzinfo=UTC)  # the Wednesday before
    await desk.schedule.run_due()
    assert desk.shown["job"]["next_at"] == "2026-11-27T14:00:00+00:00"  # Friday 09:00 in New York
