"""How long rows are kept, and what becomes of them: the desk's history stays, its noise is thinned in small steps.

Orders, fills, their money and the audit trail are never removed (an owner's tax papers ask for years). One step is one
short transaction; where a step got to is a fact of the store, so that it goes on after a restart. The same on both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, func, or_, select, update

from shared.models import (
    Alert,
    AlertDelivery,
    Command,
    DecisionRow,
    EquitySnapshot,
    ExecutionLog,
    JobRun,
    OrderEvent,
    OrderRow,
    PriceBar,
    Readiness,
    StrategySignal,
)
from shared.store.alerts import ENDED_BY
from shared.store.heartbeats import fact, set_fact

BATCH = 2000  # rows a step removes at most
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LOUD = ("WARNING", "ERROR", "CRITICAL")

Work = Callable[[Session, datetime], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One table's rule. `work` does one step on what is older than `days`; 0 when nothing is left to do."""

    table: str
    days: int
    becomes: str  # what people read: after that, …
    work: Work


def step(session: Session, now: datetime) -> dict[str, int]:
    """Do one step of every rule; rows removed per rule that had something to do."""
    done = {f"{rule.table} {rule.days}": rule.work(session, now - timedelta(days=rule.days)) for rule in RULES}
    return {name: count for name, count in done.items() if count}


def _quiet_logs(session: Session, before: datetime) -> int:
    old = col(ExecutionLog.created_at) < before
    return _remove(session, ExecutionLog, old, col(ExecutionLog.level).not_in(_LOUD))


def _loud_logs(session: Session, before: datetime) -> int:
    return _remove(session, ExecutionLog, col(ExecutionLog.created_at) < before)


def _decisions(session: Session, before: datetime) -> int:
    """Of a day's HOLDs of a rule and symbol the last stays: its counts are the whole day's. What acted stays too."""
    start = _window(session, "decisions", DecisionRow, col(DecisionRow.at), before, _DAY)
    if start is None:
        return 0
    inside = (col(DecisionRow.at) >= start, col(DecisionRow.at) < start + _DAY, col(DecisionRow.verdict) == "HOLD")
    keys = (col(DecisionRow.account_id), col(DecisionRow.rule_id), col(DecisionRow.symbol))
    last = select(func.max(DecisionRow.id)).where(*inside).group_by(*keys)
    gone = session.execute(delete(DecisionRow).where(*inside, col(DecisionRow.id).not_in(last)))
    _done(session, "decisions", start + _DAY)
    return _count(gone)


def _minute_bars(session: Session, before: datetime) -> int:
    """Sixty minutes become an hour: first open, last close, highest, lowest, all the volume."""
    minute = col(PriceBar.timeframe) == "1m"
    oldest: datetime | None = session.exec(
        select(func.min(PriceBar.start)).where(minute, PriceBar.start < before)
    ).one()
    if oldest is None:
        return 0
    start = oldest.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    inside = (minute, col(PriceBar.start) >= start, col(PriceBar.start) < start + _HOUR)
    hours: dict[tuple[str, str, str], PriceBar] = {}
    for row in session.exec(select(PriceBar).where(*inside).order_by(col(PriceBar.start))):
        key = (row.environment, row.market, row.symbol)
        hour = hours.get(key)
        if hour is None:
            hours[key] = PriceBar(**{**row.model_dump(exclude={"id"}), "timeframe": "1h", "start": start})
            continue
        hour.high, hour.low = max(hour.high, row.high), min(hour.low, row.low)
        hour.close, hour.volume = row.close, hour.volume + row.volume
    there = select(PriceBar.environment, PriceBar.market, PriceBar.symbol).where(
        PriceBar.timeframe == "1h", PriceBar.start == start
    )
    known = {tuple(row) for row in session.exec(there)}
    session.add_all(hour for key, hour in hours.items() if key not in known)
    return _count(session.execute(delete(PriceBar).where(*inside)))


def _hour_bars(session: Session, before: datetime) -> int:
    return _remove(session, PriceBar, PriceBar.timeframe == "1h", col(PriceBar.start) < before)


def _equity_by_hour(session: Session, before: datetime) -> int:
    return _last_of(session, "equity_hour", before, _HOUR)


def _equity_by_day(session: Session, before: datetime) -> int:
    return _last_of(session, "equity_day", before, _DAY)


def _last_of(session: Session, name: str, before: datetime, span: timedelta) -> int:
    start = _window(session, name, EquitySnapshot, col(EquitySnapshot.at), before, span)
    if start is None:
        return 0
    inside = (col(EquitySnapshot.at) >= start, col(EquitySnapshot.at) < start + span)
    keys = (col(EquitySnapshot.account_id), col(EquitySnapshot.currency))
    last = session.exec(select(func.max(EquitySnapshot.at), *keys).where(*inside).group_by(*keys)).all()
    kept = [
        (col(EquitySnapshot.at) == at) & (col(EquitySnapshot.account_id) == account)
        & (col(EquitySnapshot.currency) == currency)
        for at, account, currency in last
    ]  # fmt: skip
    gone = session.execute(delete(EquitySnapshot).where(*inside, ~or_(*kept)))
    _done(session, name, start + span)
    return _count(gone)


def _order_history(session: Session, before: datetime) -> int:
    """An order, its fills and its money stay; the steps between go."""
    return _remove(
        session, OrderEvent, col(OrderEvent.order_id).in_(select(OrderRow.id).where(OrderRow.updated_at < before))
    )


def _information(session: Session, before: datetime) -> int:
    """What only informs (a fill, a signal) waits for nobody: after a while it counts as seen."""
    open_, told = col(Alert.acknowledged_at).is_(None), col(Alert.last_at)
    some = select(Alert.id).where(open_, Alert.severity == "info", told < before).order_by(told).limit(BATCH)
    seen = {"acknowledged_at": told, "acknowledged_by": ENDED_BY}
    return _count(session.execute(update(Alert).where(col(Alert.id).in_(some)).values(seen)))


def _alerts(session: Session, before: datetime) -> int:
    old = select(Alert.id).where(col(Alert.acknowledged_at) < before)
    session.execute(delete(AlertDelivery).where(col(AlertDelivery.alert_id).in_(old)))
    return _remove(session, Alert, col(Alert.acknowledged_at) < before)


def _commands(session: Session, before: datetime) -> int:
    return _remove(session, Command, col(Command.finished_at) < before)


def _signals(session: Session, before: datetime) -> int:
    return _remove(session, StrategySignal, col(StrategySignal.created_at) < before)


def _job_runs(session: Session, before: datetime) -> int:
    return _remove(session, JobRun, col(JobRun.due_at) < before)


def _readiness(session: Session, before: datetime) -> int:
    return _remove(session, Readiness, col(Readiness.due_at) < before)


def _remove(session: Session, model: Any, *where: Any) -> int:
    some = select(model.id).where(*where).order_by(model.id).limit(BATCH)
    return _count(session.execute(delete(model).where(col(model.id).in_(some))))


def _window(session: Session, name: str, model: Any, at: Any, before: datetime, span: timedelta) -> datetime | None:
    """The start of the next whole span that has rows and lies before `before`; None when there is none."""
    said = fact(session, f"retention:{name}")
    since = datetime.fromisoformat(said) if said else datetime(2000, 1, 1, tzinfo=UTC)
    first = session.exec(select(func.min(at)).select_from(model).where(at >= since)).one()
    if first is None:
        return None
    start = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = start.replace(hour=0) if span == _DAY else start
    return start if start + span <= before else None


def _done(session: Session, name: str, until: datetime) -> None:
    set_fact(session, f"retention:{name}", until.isoformat())


def _count(result: Any) -> int:
    return int(result.rowcount)


RULES: tuple[Rule, ...] = (
    Rule("execution_logs", 30, "경고와 오류만 · warnings and errors only", _quiet_logs),
    Rule("execution_logs", 180, "삭제 · removed", _loud_logs),
    Rule("decisions", 30, "하루 한 줄과 실행된 것만 · one line a day, and what acted", _decisions),
    Rule("price_bars", 30, "1시간봉으로 · hourly bars", _minute_bars),
    Rule("price_bars", 730, "삭제 · removed", _hour_bars),
    Rule("equity_snapshots", 30, "시간마다 하나 · one an hour", _equity_by_hour),
    Rule("equity_snapshots", 400, "하루 하나 · one a day", _equity_by_day),
    Rule("order_events", 400, "주문과 체결만 · orders and fills only", _order_history),
    Rule("alerts", 7, "안내는 확인한 것으로 · information counts as seen", _information),
    Rule("alerts", 180, "확인한 것은 삭제 · removed once seen", _alerts),
    Rule("commands", 90, "삭제 · removed", _commands),
    Rule("strategy_signals", 400, "삭제 · removed", _signals),
    Rule("job_runs", 180, "삭제 · removed", _job_runs),
    Rule("readiness", 180, "삭제 · removed", _readiness),
)
