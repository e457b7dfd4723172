"""The desk's own jobs in market time: APScheduler wakes them, a lease says which host runs them, a row says once.

Of several hosts the one that holds the lease "scheduler" acts. Each turn is a row of job_runs that only one can add, so
that no turn runs twice, whatever the lease did. What a restart or a jump of the clock let pass is found by comparing
the latest turn with the rows, and dealt with by the job's own rule for missed turns.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bots.schedule import LATE, RETRY_S, Missed, Outcome
from shared.clock import Clock
from shared.db import reading, writing
from shared.domain.account import Market
from shared.domain.errors import TradingError
from shared.domain.turns import SessionOn, When, last_turn, next_turn
from shared.logs import log
from shared.models.schedule import DESK
from shared.store import alerts, commands, configuration, heartbeats, schedule
from shared.store.commands import CommandKind, CommandStatus

LEASE, TTL_S = "scheduler", 30
RENEW_EVERY_S = 5.0
LOOK_EVERY_S = 30.0  # beside APScheduler: clocks jump, hosts sleep
TRIES = 4
_FAULTS = (TradingError, SQLAlchemyError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class DeskJob:
    name: str
    when: When
    missed: Missed
    run: Callable[[datetime], str]  # given the turn; returns what was done, for the row


@dataclass(frozen=True, slots=True)
class Retry:
    run_id: int
    due: datetime
    tries: int
    at: float  # monotonic


class MarketTrigger(BaseTrigger):  # type: ignore[misc]
    """APScheduler's question "when next?", answered by the market's calendar."""

    def __init__(self, when: When, session_on: SessionOn) -> None:
        self._when, self._session_on = when, session_on

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first turn after the last one that fired, at the first question the first from now on."""
        after = now - timedelta(microseconds=1) if previous_fire_time is None else previous_fire_time
        return next_turn(self._when, after, self._session_on)


class DeskSchedule:
    def __init__(
        self, engine: Engine, clock: Clock, host: str, jobs: tuple[DeskJob, ...], sessions: Mapping[Market, SessionOn]
    ) -> None:
        self._engine, self._clock, self._sessions = engine, clock, sessions
        self._jobs = {job.name: job for job in jobs}
        self._holder = f"{host}:{os.getpid()}"
        self._epoch: int | None = None  # of the lease, while it is ours
        self._since: dict[str, datetime] = {}  # job → when the desk first knew it: earlier turns are not owed
        self._retries: dict[str, Retry] = {}
        self._shown: dict[str, tuple[datetime | None, bool]] = {}  # job → what the store has of its next turn
        self._running: set[int] = set()  # rows of ours that are being run
        self._one_at_a_time = threading.Lock()
        self._renewed = self._looked = float("-inf")
        self._woken = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )  # fmt: skip

    def start(self) -> None:
        """Have every job woken at its turns."""
        for job in self._jobs.values():
            trigger = MarketTrigger(job.when, self._sessions[job.when.market])
            self._woken.add_job(self.look, trigger, args=[job.name], id=job.name)
        self._woken.start()

    def close(self) -> None:
        """Wake nothing more, wait for what runs, and let another host take over."""
        if self._woken.running:
            self._woken.shutdown(wait=True)
        if self._epoch is not None:
            with writing(self._engine) as session:
                heartbeats.release_lease(session, name=LEASE, holder=self._holder, epoch=self._epoch)
            self._epoch = None

    @property
    def acts(self) -> bool:
        """Whether this host runs the desk's jobs."""
        return self._epoch is not None

    def tend(self) -> None:
        """Renew the lease, take requests of people, look for what is owed. Called every second; never runs a job itself."""
        mono = self._clock.monotonic()
        if mono - self._renewed >= RENEW_EVERY_S:
            self._hold()
            self._renewed = mono
        if self._epoch is None:
            return
        self._take_requests()
        if mono - self._looked >= LOOK_EVERY_S or any(retry.at <= mono for retry in self._retries.values()):
            self._looked = mono
            for name in self._jobs:
                self._soon(self.look, name)

    def look(self, name: str) -> None:
        """Run the job's latest turn if it is owed, or do what its rule for missed turns says."""
        job = self._jobs[name]
        with self._one_at_a_time:
            if self._epoch is None:
                return
            try:
                self._look(job)
            except SQLAlchemyError as error:
                log("scheduler", "store away", level="warning", job=name, why=type(error).__name__)

    def _look(self, job: DeskJob) -> None:
        now, session_on = self._clock.market_now(), self._sessions[job.when.market]
        retry = self._retries.get(job.name)
        if retry is not None and retry.at <= self._clock.monotonic():
            self._run(job, retry.due, retry.run_id, retry.tries)
        turn, following = last_turn(job.when, now, session_on), next_turn(job.when, now, session_on)
        with reading(self._engine) as session:
            asleep = job.name in configuration.paused_jobs(session, DESK)
            done = schedule.last_due(session, job.name) or self._since[job.name]
        if self._shown.get(job.name) != (following, asleep):
            with writing(self._engine) as session:
                schedule.show(session, self._clock.wall_now(), job.name, following, job.missed.value, asleep)
            self._shown[job.name] = (following, asleep)
        if turn is None or turn <= max(self._since[job.name], done):
            return
        with writing(self._engine) as session:
            row = schedule.begin(session, self._clock.wall_now(), job.name, turn)
            if row is None or row.id is None:
                return  # another host's
            run_id = row.id
            missed = job.missed is not Missed.RUN and now - turn > LATE
            if asleep or missed:
                row.started_at = None
                outcome, note = (Outcome.PAUSED, "멈춰 둔 작업") if asleep else (Outcome.SKIPPED, "놓친 차례")
                schedule.end(session, self._clock.wall_now(), run_id, outcome, note)
                if not asleep and job.missed is Missed.ALERT:
                    self._tell_missed(session, job.name, turn)
                return
        self._run(job, turn, run_id, 0)

    def _tell_missed(self, session: Session, name: str, turn: datetime) -> None:
        alerts.raise_alert(
            session, self._clock.wall_now(), kind="JOB_MISSED", severity="warning",
            dedup_key=f"job_missed:{name}:{turn.isoformat()}", params={"job": name, "due": turn.isoformat()},
        )  # fmt: skip

    def _run(self, job: DeskJob, due: datetime, run_id: int, tries: int) -> None:
        self._retries.pop(job.name, None)
        self._running.add(run_id)
        try:
            note = job.run(due)
        except _FAULTS as error:
            self._failed(job, due, run_id, tries, error)
        else:
            with writing(self._engine) as session:
                schedule.end(session, self._clock.wall_now(), run_id, Outcome.OK, note)
                alerts.end(session, self._clock.wall_now(), dedup_key=f"job_failed:{job.name}")
            log("scheduler", "ran", job=job.name, due=due.isoformat(), note=note)
        finally:
            self._running.discard(run_id)

    def _failed(self, job: DeskJob, due: datetime, run_id: int, tries: int, error: Exception) -> None:
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:280]
        log("scheduler", "failed", level="error", job=job.name, due=due.isoformat(), why=why)
        if tries + 1 < TRIES:
            at = self._clock.monotonic() + RETRY_S[tries]
            self._retries[job.name] = Retry(run_id, due, tries + 1, at)
        now = self._clock.wall_now()
        with writing(self._engine) as session:
            schedule.end(session, now, run_id, Outcome.FAILED, why)
            alerts.raise_alert(
                session, now, kind="JOB_FAILED", severity="warning", dedup_key=f"job_failed:{job.name}",
                params={"job": job.name, "due": due.isoformat(), "reason": why},
            )  # fmt: skip

    def _hold(self) -> None:
        """Take or keep the lease; a new holder ends what the last one left half done, and runs again what must run."""
        with writing(self._engine) as session:
            now = heartbeats.store_time(session, self._clock.wall_now())
            before = heartbeats.lease_of(session, LEASE)
            free = before is not None and before.holder.endswith(":")  # given back: no need to wait for its end
            lease = heartbeats.take_lease(session, now, name=LEASE, holder=self._holder, ttl_s=TTL_S, force=free)
            if lease is None:
                self._epoch = None
                return
            if lease.epoch == self._epoch:
                return
            log("scheduler", "acts", holder=self._holder, epoch=lease.epoch)
            for row in schedule.left_running(session):
                if row.id is None or row.id in self._running:
                    continue
                schedule.end(session, self._clock.wall_now(), row.id, Outcome.FAILED, "하던 중에 멈춤")
                job = self._jobs.get(row.job)
                if job is not None and job.missed is Missed.RUN:
                    self._retries[row.job] = Retry(row.id, row.due_at, 1, self._clock.monotonic())
            schedule.forget_others(session, self._jobs.keys())
            known = {row.job: row for row in schedule.jobs(session, [DESK])}
            for name, job in self._jobs.items():
                kept = known.get(name)
                # A desk that never knew the job owes no turn of before; one that did, what passed since its next one.
                if kept is not None and kept.next_at is not None:
                    self._since[name] = kept.next_at - timedelta(microseconds=1)
                    continue
                self._since[name] = self._clock.market_now()
                at = next_turn(job.when, self._since[name], self._sessions[job.when.market])
                schedule.show(session, self._clock.wall_now(), name, at, job.missed.value, False)
            epoch = lease.epoch
        self._epoch = epoch
        self._shown.clear()
        self._looked = float("-inf")

    def _take_requests(self) -> None:
        with reading(self._engine) as session:
            if not commands.any_asked(session, None, CommandKind.RUN_JOB):
                return
        with writing(self._engine) as session:
            command = commands.claim_next(session, self._clock.wall_now(), None, CommandKind.RUN_JOB)
            asked = None if command is None else (command.id or 0, str(command.payload.get("job", "")))
        if asked is not None:
            self._soon(self.by_hand, *asked)

    def by_hand(self, command_id: int, name: str) -> None:
        """Run a job because a person asks, paused or not; its own turns stay as they are."""
        with self._one_at_a_time:
            now = self._clock.wall_now()
            job, due = self._jobs.get(name), now.replace(microsecond=0)
            with writing(self._engine) as session:
                row = None if job is None else schedule.begin(session, now, name, due)
                run_id = None if row is None else row.id
                if run_id is None:
                    why = {"error": {"code": "no_job", "what": f"작업 {name}", "why": "", "now": "schedule list"}}
                    commands.finish(session, now, command_id, CommandStatus.FAILED, why)
                    return
            assert job is not None
            self._run(job, due, run_id, TRIES)  # a person sees that it failed, and asks again
            with writing(self._engine) as session:
                outcome, note = schedule.outcome_of(session, run_id)
                done = outcome == Outcome.OK
                told = {"job": name, "note": note} if done else _error(name, note)
                status = CommandStatus.DONE if done else CommandStatus.FAILED
                commands.finish(session, self._clock.wall_now(), command_id, status, told)

    def _soon(self, work: Callable[..., None], *given: object) -> None:
        if self._woken.running:
            self._woken.add_job(work, args=given)
        else:
            work(*given)  # without start(), as tests drive it


def _error(name: str, why: str) -> dict[str, object]:
    return {
        "error": {"code": "job_failed", "what": f"작업 {name}이(가) 실패했습니다", "why": why, "now": "로그를 보십시오"}
    }
