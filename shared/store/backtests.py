"""Backtests asked from the desk: rows that the research worker takes, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select, update

from shared.models import BacktestRun, PriceBar


class RunStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELING = "CANCELING"  # a person wants a running one to stop
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


OPEN_RUNS = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.CANCELING})


def ask(
    session: Session, now: datetime, *, rule_text: str, params: Mapping[str, Any], requested_by: str
) -> BacktestRun:
    """Queue a backtest."""
    row = BacktestRun(rule_text=rule_text, params=dict(params), requested_by=requested_by, created_at=now)
    session.add(row)
    session.flush()
    return row


def take(session: Session) -> BacktestRun | None:
    """Return the oldest queued run, now RUNNING; None when nothing waits. Two workers never get the same one."""
    while True:
        waiting = select(BacktestRun).where(BacktestRun.status == RunStatus.QUEUED.value).order_by(col(BacktestRun.id))
        row = session.exec(waiting.limit(1)).first()
        if row is None:
            return None
        mine = update(BacktestRun).where(
            col(BacktestRun.id) == row.id, col(BacktestRun.status) == RunStatus.QUEUED.value
        )
        taken = session.connection().execute(mine.values(status=RunStatus.RUNNING.value))
        session.refresh(row)
        if taken.rowcount == 1:
            return row


def progressed(session: Session, run_id: int, share: float) -> None:
    """Write how much is done, 0 … 1, while it runs."""
    row = session.get(BacktestRun, run_id)
    if row is not None and row.status == RunStatus.RUNNING.value:
        row.progress = share
        session.add(row)


def status_of(session: Session, run_id: int) -> RunStatus | None:
    row = session.get(BacktestRun, run_id)
    return None if row is None else RunStatus(row.status)


def finish(session: Session, now: datetime, run_id: int, status: RunStatus, result: Mapping[str, Any] | None) -> None:
    """End a run that is still open; what has ended stays as it is."""
    row = session.get(BacktestRun, run_id)
    if row is None or RunStatus(row.status) not in OPEN_RUNS:
        return
    row.status, row.finished_at = status.value, now
    row.result = None if result is None else dict(result)
    row.progress = 1.0 if status is RunStatus.DONE else row.progress
    session.add(row)


def cancel(session: Session, now: datetime, run_id: int) -> RunStatus | None:
    """Ask that a run stops: at once when it waits, by the worker when it runs. Returns the status then."""
    row = session.get(BacktestRun, run_id)
    if row is None:
        return None
    if row.status == RunStatus.QUEUED.value:
        row.status, row.finished_at = RunStatus.CANCELED.value, now
    elif row.status == RunStatus.RUNNING.value:
        row.status = RunStatus.CANCELING.value
    session.add(row)
    return RunStatus(row.status)


def left_running(session: Session) -> list[int]:
    """Return the runs that a worker which is gone had taken."""
    open_ = select(BacktestRun.id).where(
        col(BacktestRun.status).in_([RunStatus.RUNNING.value, RunStatus.CANCELING.value])
    )
    return [one for one in session.exec(open_) if one is not None]


_MINUTES = 60_000  # about 40 days of a market that never closes


def recorded_minutes(
    session: Session, environment: str, market: str, symbol: str
) -> list[tuple[datetime, Decimal, Decimal, Decimal, Decimal, int]]:
    """The newest one-minute bars that the desk's bots recorded, oldest first."""
    query = select(PriceBar).where(
        PriceBar.environment == environment, PriceBar.market == market, PriceBar.symbol == symbol
    )
    rows = session.exec(query.where(PriceBar.timeframe == "1m").order_by(col(PriceBar.start).desc()).limit(_MINUTES))
    return [(row.start, row.open, row.high, row.low, row.close, row.volume) for row in rows][::-1]


def listed(session: Session, limit: int) -> list[BacktestRun]:
    """Newest first."""
    return list(session.exec(select(BacktestRun).order_by(col(BacktestRun.id).desc()).limit(limit)))


def one(session: Session, run_id: int) -> BacktestRun | None:
    return session.get(BacktestRun, run_id)
