"""What is due when, whose turn ran, and who paused it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select

from shared.models import JobRun, PausedJob, ScheduledJob
from shared.models.schedule import DESK

RUNNING, FAILED = "running", "failed"


def jobs(session: Session, account_ids: Collection[int]) -> list[ScheduledJob]:
    query = select(ScheduledJob).where(col(ScheduledJob.account_id).in_(account_ids))
    return list(session.exec(query.order_by(col(ScheduledJob.account_id), col(ScheduledJob.job))))


def last_runs(session: Session, account_ids: Collection[int]) -> dict[tuple[int, str], JobRun]:
    """The newest row of each job: what became of its last turn."""
    newest = (
        select(func.max(JobRun.id))
        .where(col(JobRun.account_id).in_(account_ids))
        .group_by(col(JobRun.account_id), col(JobRun.job))
    )
    rows = session.exec(select(JobRun).where(col(JobRun.id).in_(newest)))
    return {(row.account_id or DESK, row.job): row for row in rows}


def runs(session: Session, account_ids: Collection[int], *, job: str = "", limit: int = 100) -> list[JobRun]:
    """Newest first."""
    query = select(JobRun).where(col(JobRun.account_id).in_(account_ids))
    if job:
        query = query.where(JobRun.job == job)
    return list(session.exec(query.order_by(col(JobRun.id).desc()).limit(limit)))


def last_due(session: Session, job: str, account_id: int = DESK) -> datetime | None:
    """The latest turn of a job that was begun, passed or skipped."""
    query = select(JobRun.due_at).where(JobRun.account_id == account_id, JobRun.job == job)
    return session.exec(query.order_by(col(JobRun.due_at).desc()).limit(1)).first()


def begin(session: Session, now: datetime, job: str, due: datetime) -> JobRun | None:
    """Take a turn of a job of the desk; None when it was taken before, by this host or another."""
    row = JobRun(job=job, account_id=DESK, due_at=due, started_at=now, outcome=RUNNING)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def end(session: Session, now: datetime, run_id: int, outcome: str, note: str) -> None:
    row = session.get(JobRun, run_id)
    if row is not None:
        row.finished_at, row.outcome, row.note = now, outcome, note[:300]
        session.add(row)


def outcome_of(session: Session, run_id: int) -> tuple[str, str]:
    """What became of a run, and its note."""
    row = session.get(JobRun, run_id)
    return ("", "") if row is None else (row.outcome, row.note)


def left_running(session: Session) -> list[JobRun]:
    """Turns of the desk whose runner never wrote their end."""
    return list(session.exec(select(JobRun).where(JobRun.account_id == DESK, JobRun.outcome == RUNNING)))


def show(session: Session, now: datetime, job: str, next_at: datetime | None, missed: str, paused: bool) -> None:
    """Write a desk job's next turn, when it is another one."""
    row = session.exec(select(ScheduledJob).where(ScheduledJob.account_id == DESK, ScheduledJob.job == job)).first()
    fresh = row is None
    row = row or ScheduledJob(job=job, missed=missed, updated_at=now)
    if fresh or (row.next_at, row.missed, row.paused) != (next_at, missed, paused):
        row.next_at, row.missed, row.paused, row.updated_at = next_at, missed, paused, now
        session.add(row)


def forget_others(session: Session, names: Collection[str]) -> None:
    """Remove desk jobs that the program no longer has."""
    session.execute(
        delete(ScheduledJob).where(col(ScheduledJob.account_id) == DESK, col(ScheduledJob.job).not_in(names))
    )


def pause(session: Session, now: datetime, account_id: int, job: str, by: str) -> bool:
    """True when it was not paused before."""
    if session.get(PausedJob, (account_id, job)) is not None:
        return False
    session.add(PausedJob(account_id=account_id, job=job, paused_by=by, paused_at=now))
    return True


def resume(session: Session, account_id: int, job: str) -> bool:
    """True when it was paused."""
    row = session.get(PausedJob, (account_id, job))
    if row is None:
        return False
    session.delete(row)
    return True
