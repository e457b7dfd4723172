"""The account's jobs in market time: when each is due, what becomes of a turn that was missed, what became of it.

A job that must not be missed runs once as soon as the bot is up, for the latest turn only; one that is of its hour is
skipped, and told where that matters. Every turn leaves a row (job_runs); the next one stands in scheduled_jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from bots import outgoing
from bots.journal import Outgoing
from shared.clock import Clock
from shared.domain.errors import BrokerError, NotFound, NotSupported
from shared.domain.turns import SessionOn, When, last_turn, next_turn

FACT = "job:"  # facts of the journal: the last turn of each job that is over, in market time
LATE = timedelta(minutes=30)  # a turn begun later than this was missed
LOOK_EVERY_S = 2.0
RETRY_S = (15.0, 60.0, 300.0, 900.0)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Missed(StrEnum):
    RUN = "run"  # make it good, once
    SKIP = "skip"  # its hour is over
    ALERT = "alert"  # its hour is over, and a person should know


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    PAUSED = "paused"
    NOT_OFFERED = "n/a"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Job:
    """What is done, when, and what becomes of a turn that nobody was there for."""

    name: str
    when: When
    missed: Missed
    run: Callable[[], Awaitable[str]]  # returns what was done, for the row; may raise BrokerError
    at_start: bool = False  # also at every start of the bot, whatever the hour


class Schedule:
    def __init__(
        self,
        jobs: tuple[Job, ...],
        session_on: SessionOn,
        clock: Clock,
        facts: Mapping[str, str],
        remember: Callable[[str, str], Awaitable[None]],
        tell: Callable[[tuple[Outgoing, ...]], None],
        show: Callable[[str, Mapping[str, Any]], None] = lambda name, row: None,
    ) -> None:
        self._jobs, self._session_on, self._clock = jobs, session_on, clock
        self._remember, self._tell, self._show = remember, tell, show
        self.paused: frozenset[str] = frozenset()  # by a person; their turns pass
        self._done = {
            job.name: datetime.fromisoformat(facts[FACT + job.name]) for job in jobs if facts.get(FACT + job.name)
        }
        self._started = {job.name for job in jobs if not job.at_start}  # those that owe no turn to this start
        self._failures: dict[
            str, tuple[int, float]
        ] = {}  # job -> failures of this turn, monotonic time of the next try
        self._shown: dict[str, dict[str, Any]] = {}  # job → what the store has of its next turn

    async def follow(self, ready: Callable[[], bool]) -> None:
        """Run what is due, for ever, while `ready`."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if ready():
                await self.run_due()

    async def run_due(self) -> None:
        """Run every job whose turn has come, one after another; a failed one is tried again later."""
        for job in self._jobs:
            self._show_next(job)
            due = self._due(job)
            if due is None or self._clock.monotonic() < self._failures.get(job.name, (0, 0.0))[1]:
                continue
            late = self._clock.market_now() - due > LATE
            if job.name in self.paused:
                await self._over(job, due, None, Outcome.PAUSED, "멈춰 둔 작업")
            elif job.missed is not Missed.RUN and late:
                await self._missed(job, due)
            else:
                await self._run(job, due)

    async def run_now(self, name: str) -> str:
        """Run a job because a person asks, paused or not; its own turns stay as they are.

        Raises:
            NotFound: no job of that name. BrokerError: it failed.
        """
        job = next((job for job in self._jobs if job.name == name), None)
        if job is None:
            raise NotFound(f"작업 {name}이(가) 없습니다", ", ".join(job.name for job in self._jobs), "schedule list")
        began = self._clock.wall_now()
        due = self._clock.market_now().replace(microsecond=0)
        try:
            note = await job.run()
        except BrokerError as e:
            self._row(job, due, began, Outcome.FAILED, f"직접 실행: {e}")
            raise
        self._row(job, due, began, Outcome.OK, f"직접 실행: {note}")
        return note

    def _due(self, job: Job) -> datetime | None:
        """The latest turn of `job` that is not over; None when nothing is owed."""
        now = self._clock.market_now()
        turn = last_turn(job.when, now, self._session_on)
        if turn is not None and turn > self._done.get(job.name, _NEVER):
            return turn
        return now if job.name not in self._started else None

    async def _missed(self, job: Job, due: datetime) -> None:
        if job.missed is Missed.ALERT:
            now = self._clock.wall_now()
            key = f"job_missed:{job.name}:{due.isoformat()}"
            self._tell((outgoing.alert("JOB_MISSED", "warning", key, now, job=job.name, due=due.isoformat()),))
        await self._over(job, due, None, Outcome.SKIPPED, "놓친 차례")

    async def _run(self, job: Job, due: datetime) -> None:
        began = self._clock.wall_now()
        try:
            note = await job.run()
        except NotSupported as e:
            await self._over(job, due, began, Outcome.NOT_OFFERED, e.message)
        except (BrokerError, NotFound) as e:
            failures = self._failures.get(job.name, (0, 0.0))[0]
            wait_s = RETRY_S[min(failures, len(RETRY_S) - 1)]
            self._failures[job.name] = (failures + 1, self._clock.monotonic() + wait_s)
            if failures == 0:
                self._row(job, due, began, Outcome.FAILED, str(e))
        else:
            await self._over(job, due, began, Outcome.OK, note)

    async def _over(self, job: Job, due: datetime, began: datetime | None, outcome: Outcome, note: str) -> None:
        self._failures.pop(job.name, None)
        self._started.add(job.name)
        self._done[job.name] = due
        self._row(job, due, began, outcome, note)
        await self._remember(FACT + job.name, due.isoformat())

    def _row(self, job: Job, due: datetime, began: datetime | None, outcome: Outcome, note: str) -> None:
        values = {
            "job": job.name, "due_at": due, "started_at": began, "finished_at": self._clock.wall_now(),
            "outcome": outcome, "note": note[:300],
        }  # fmt: skip
        self._tell((Outgoing(outgoing.JOBS, job.name, outgoing.encode(values)),))

    def _show_next(self, job: Job) -> None:
        """Put the next turn where people see it, when it is another one than before."""
        now = self._clock.market_now()
        kept = self._shown.get(job.name)
        paused = job.name in self.paused
        if kept is not None and kept["paused"] == paused and (kept["next_at"] is None or kept["next_at"] > now):
            return
        next_at = next_turn(job.when, now, self._session_on)
        values = {"job": job.name, "next_at": next_at, "missed": job.missed.value, "paused": paused}
        if values != kept:
            self._shown[job.name] = values
            stamps = {"next_at": _iso(next_at), "updated_at": _iso(self._clock.wall_now())}
            self._show(job.name, {**values, **stamps})


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
