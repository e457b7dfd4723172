"""The account's jobs in market time: when each is due, what becomes of a turn that was missed, what became of it.

A job that must not be missed runs once as soon as the bot is up, for the latest turn only; one that is of its hour is
skipped. Either way the turn leaves a row (job_runs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bots import outgoing
from bots.journal import Outgoing
from shared.clock import Clock
from shared.domain.errors import BrokerError, NotFound, NotSupported

FACT = "job:"  # facts of the journal: the last turn of each job that is over, in market time
LATE = timedelta(minutes=30)  # a turn begun later than this was missed
LOOK_EVERY_S = 2.0
RETRY_S = (15.0, 60.0, 300.0, 900.0)


class Missed(StrEnum):
    RUN = "run"  # make it good, once
    SKIP = "skip"  # its hour is over


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_OFFERED = "n/a"


@dataclass(frozen=True, slots=True)
class Job:
    """`at` is a time of the market's own zone; `trading_days` leaves out days on which it is closed."""

    name: str
    at: time
    missed: Missed
    run: Callable[[], Awaitable[str]]  # returns what was done, for the row; may raise BrokerError
    trading_days: bool = True
    at_start: bool = False  # also at every start of the bot, whatever the hour


class Schedule:
    def __init__(
        self,
        jobs: tuple[Job, ...],
        zone: ZoneInfo,
        trades: Callable[[datetime], bool],
        clock: Clock,
        facts: Mapping[str, str],
        remember: Callable[[str, str], Awaitable[None]],
        tell: Callable[[tuple[Outgoing, ...]], None],
    ) -> None:
        self._jobs, self._zone, self._trades, self._clock = jobs, zone, trades, clock
        self._remember, self._tell = remember, tell
        self._done = {
            job.name: datetime.fromisoformat(facts[FACT + job.name]) for job in jobs if facts.get(FACT + job.name)
        }
        self._started = {job.name for job in jobs if not job.at_start}  # those that owe no turn to this start
        self._failures: dict[
            str, tuple[int, float]
        ] = {}  # job -> failures of this turn, monotonic time of the next try

    async def follow(self, ready: Callable[[], bool]) -> None:
        """Run what is due, for ever, while `ready`."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if ready():
                await self.run_due()

    async def run_due(self) -> None:
        """Run every job whose turn has come, one after another; a failed one is tried again later."""
        for job in self._jobs:
            due = self._due(job)
            if due is None or self._clock.monotonic() < self._failures.get(job.name, (0, 0.0))[1]:
                continue
            now = self._clock.market_now()
            if job.missed is Missed.SKIP and now - due > LATE:
                await self._over(job, due, None, Outcome.SKIPPED, "놓친 차례")
            else:
                await self._run(job, due)

    def _due(self, job: Job) -> datetime | None:
        """The latest turn of `job` that is not over; None when nothing is owed."""
        now = self._clock.market_now()
        turn = self._last_turn(job, now)
        if turn is not None and turn > self._done.get(job.name, datetime.min.replace(tzinfo=self._zone)):
            return turn
        return now if job.name not in self._started else None

    def _last_turn(self, job: Job, now: datetime) -> datetime | None:
        day = now.astimezone(self._zone).date()
        for ago in range(8):
            turn = datetime.combine(day - timedelta(days=ago), job.at, self._zone)
            if turn <= now and (not job.trading_days or self._trades(turn)):
                return turn
        return None

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
