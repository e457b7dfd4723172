"""The schedule: what is due when, what became of it, pausing, running now; how ready the accounts were before the open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from console.services.changes import by_number, desk_only
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict, NotFound
from shared.models import BrokerageAccount, Command, JobRun, ScheduledJob
from shared.models.schedule import DESK
from shared.store import commands, configuration, schedule
from shared.store.commands import CommandKind
from shared.store.readiness import newest as newest_readiness

RUN_LIFE = timedelta(minutes=5)  # a request nobody took by then is over
LATE = timedelta(minutes=5)  # a next turn so long ago: nobody runs this schedule
AT_CLOSE = ("keep", "cancel", "reprice", "convert")


@dataclass(frozen=True, slots=True)
class JobLine:
    account_id: int  # 0: the desk's own
    account: str
    environment: str
    job: str
    next_at: datetime | None
    missed: str  # run | skip | alert
    paused: bool
    last_due: datetime | None
    last_end: datetime | None
    outcome: str  # of the last turn; "" when there was none
    note: str
    silent: bool  # its next turn has passed and nobody took it


@dataclass(frozen=True, slots=True)
class RunLine:
    account_id: int
    account: str
    job: str
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class ReadyLine:
    account_id: int
    account: str
    environment: str
    opens_at: datetime
    checked_at: datetime
    ready: bool
    checks: tuple[dict[str, Any], ...]


@by_number(at_most_s=4.0)
def listed(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[JobLine]:
    """Every job of the desk and of the accounts this person may see, soonest first. SIM turns are in its market time."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        mine = _mine(session, actor, account_id)
        rows, last = schedule.jobs(session, mine.keys()), schedule.last_runs(session, mine.keys())
        wished = configuration.paused_jobs_of(session, mine.keys())
    lines = [_line(row, mine[row.account_id], last.get((row.account_id, row.job)), wished, now) for row in rows]
    return sorted(lines, key=lambda line: (line.next_at is None, line.next_at or now, line.account_id, line.job))


@by_number(at_most_s=4.0)  # the desk's own jobs move no number
def runs(
    wiring: Wiring, actor: Actor, *, account_id: int | None = None, job: str = "", limit: int = 100
) -> list[RunLine]:
    """What ran, newest first."""
    with reading(wiring.engine) as session:
        mine = _mine(session, actor, account_id)
        found = schedule.runs(session, mine.keys(), job=job, limit=limit)
    return [
        RunLine(
            row.account_id or DESK, _name(mine[row.account_id or DESK]), row.job, row.due_at, row.started_at,
            row.finished_at, row.outcome, row.note,
        )
        for row in found
    ]  # fmt: skip


@by_number(at_most_s=8.0)
def readiness(wiring: Wiring, actor: Actor) -> list[ReadyLine]:
    """The last look before an open, per account; those that were not ready first."""
    with reading(wiring.engine) as session:
        mine = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        found = newest_readiness(session, mine.keys())
    lines = [
        ReadyLine(
            row.account_id, mine[row.account_id].nickname, mine[row.account_id].environment, row.opens_at,
            row.checked_at, row.ready, tuple(row.checks),
        )
        for row in found
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.ready, line.account_id))


def switch(wiring: Wiring, actor: Actor, account_id: int, job: str, *, on: bool) -> None:
    """Let a job's turns pass (off) or happen again (on); an Admin's, audited.

    Raises:
        NotFound: there is no such job.
    """
    with writing(wiring.engine) as session:
        _known(session, actor, Action.JOB_SWITCH, account_id, job)
        now = wiring.clock.wall_now()
        changed = (
            schedule.resume(session, account_id, job)
            if on
            else schedule.pause(session, now, account_id, job, actor.label)
        )
        if changed:
            row = session.get(BrokerageAccount, account_id)
            if row is not None:
                row.config_version += 1  # the bot reads its pauses with its configuration
            whose = account_id or None
            after = {"job": job, "paused": not on}
            note(session, wiring, actor, Action.JOB_SWITCH, f"job:{job}", account_id=whose, after=after)
    nudge(wiring.settings, account_id or None)


def run_now(wiring: Wiring, actor: Actor, account_id: int, job: str, *, key: str) -> Command:
    """Ask for a turn now, beside the job's own turns; the bot or the desk's scheduler does it.

    Raises:
        NotFound: there is no such job.
    """
    with writing(wiring.engine) as session:
        _known(session, actor, Action.JOB_RUN, account_id, job)
        now, whose = wiring.clock.wall_now(), account_id or None
        command, fresh = commands.request(
            session, now, account_id=whose, kind=CommandKind.RUN_JOB, key=key, requested_by=actor.label,
            payload={"job": job}, expires_at=now + RUN_LIFE,
        )  # fmt: skip
        if fresh:
            note(session, wiring, actor, Action.JOB_RUN, f"job:{job}", account_id=whose, after={"job": job})
    nudge(wiring.settings, account_id or None)
    return command


def set_at_close(wiring: Wiring, actor: Actor, account_id: int, action: str, minutes: int) -> None:
    """What becomes of unfilled orders before the close, and how long before it.

    Raises:
        Conflict: no such action, or not between 1 and 120 minutes.
    """
    if action not in AT_CLOSE or not 1 <= minutes <= 120:
        raise refuse(Conflict, "bad_at_close", actor.lang, action=action, minutes=minutes)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_LIMITS, account_id)
        row = session.get(BrokerageAccount, account_id)
        if row is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        before = {"unfilled_at_close": row.unfilled_at_close, "unfilled_minutes": row.unfilled_minutes}
        row.unfilled_at_close, row.unfilled_minutes = action, minutes
        row.config_version += 1
        after = {"unfilled_at_close": action, "unfilled_minutes": minutes}
        note(
            session, wiring, actor, Action.ACCOUNT_LIMITS, f"account:{account_id}", account_id=account_id,
            before=before, after=after,
        )  # fmt: skip
    nudge(wiring.settings, account_id)


@by_number(of=desk_only)
def at_close(wiring: Wiring, actor: Actor) -> dict[int, tuple[str, int]]:
    """Per account: the action before the close and the minutes."""
    with reading(wiring.engine) as session:
        rows = visible_accounts(session, actor)
    return {row.id: (row.unfilled_at_close, row.unfilled_minutes) for row in rows if row.id is not None}


def _mine(session: Session, actor: Actor, account_id: int | None) -> dict[int, BrokerageAccount | None]:
    mine: dict[int, BrokerageAccount | None] = {DESK: None}
    mine |= {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
    return mine if account_id is None else {one: row for one, row in mine.items() if one == account_id}


def _known(session: Session, actor: Actor, action: Action, account_id: int, job: str) -> None:
    authorize(session, actor, action, account_id or None)
    if not any(row.job == job for row in schedule.jobs(session, [account_id])):
        raise refuse(NotFound, "no_job", actor.lang, job=job)


def _name(account: BrokerageAccount | None) -> str:
    return "" if account is None else account.nickname


def _line(
    row: ScheduledJob,
    account: BrokerageAccount | None,
    last: JobRun | None,
    wished: dict[int, frozenset[str]],
    now: datetime,
) -> JobLine:
    simulated = account is not None and account.environment == "SIM"  # its turns are in the exchange's own time
    runs_at_all = account is None or account.enabled
    return JobLine(
        row.account_id, _name(account), "" if account is None else account.environment, row.job, row.next_at,
        row.missed, row.job in wished[row.account_id], last.due_at if last else None, last.finished_at if last else None,
        last.outcome if last else "", last.note if last else "",
        bool(runs_at_all and not simulated and row.next_at is not None and now - row.next_at > LATE),
    )  # fmt: skip
