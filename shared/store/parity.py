"""What an account's bot recorded of a day: bars, signals, decisions, fills and the rules in force."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from shared.models import DecisionRow, EquitySnapshot, FillRow, JobRun, OrderRow, PriceBar, StrategySignal, TradeRule

_MOST = 50_000


def rules(session: Session, account_id: int) -> list[TradeRule]:
    """Every rule the account ever had: what was archived since may have traded that day."""
    return list(session.exec(select(TradeRule).where(TradeRule.account_id == account_id)))


def signals(session: Session, account_id: int) -> list[StrategySignal]:
    """Oldest first. Their market time is in the payload: rows are dated by the wall clock."""
    query = select(StrategySignal).where(StrategySignal.account_id == account_id)
    return list(session.exec(query.order_by(col(StrategySignal.id).desc()).limit(_MOST)))[::-1]


def decisions(session: Session, account_id: int, since: datetime, until: datetime) -> list[DecisionRow]:
    """Oldest first, by market time."""
    query = select(DecisionRow).where(
        DecisionRow.account_id == account_id, col(DecisionRow.at) >= since, col(DecisionRow.at) < until
    )
    return list(session.exec(query.order_by(col(DecisionRow.at), col(DecisionRow.seq)).limit(_MOST)))


def bars(
    session: Session, environment: str, market: str, symbol: str, timeframe: str, until: datetime, limit: int
) -> list[PriceBar]:
    """The newest `limit` recorded bars that began before `until`, oldest first."""
    query = select(PriceBar).where(
        PriceBar.environment == environment,
        PriceBar.market == market,
        PriceBar.symbol == symbol,
        PriceBar.timeframe == timeframe,
        col(PriceBar.start) < until,
    )
    return list(session.exec(query.order_by(col(PriceBar.start).desc()).limit(limit)))[::-1]


def rule_fills(session: Session, account_id: int, until: datetime) -> list[tuple[FillRow, OrderRow]]:
    """Fills of rules' orders before `until`, oldest first."""
    query = (
        select(FillRow, OrderRow)
        .where(FillRow.order_id == OrderRow.id, FillRow.account_id == account_id)
        .where(col(OrderRow.rule_id).is_not(None), col(FillRow.filled_at) < until)
    )
    rows = session.exec(query.order_by(col(FillRow.filled_at), col(FillRow.id)).limit(_MOST))
    return [(fill, order) for fill, order in rows]


def equity(session: Session, account_id: int, since: datetime, until: datetime) -> list[EquitySnapshot]:
    """Oldest first."""
    query = select(EquitySnapshot).where(
        EquitySnapshot.account_id == account_id, col(EquitySnapshot.at) >= since, col(EquitySnapshot.at) < until
    )
    return list(session.exec(query.order_by(col(EquitySnapshot.at)).limit(_MOST)))


def begun(session: Session, job: str, account_ids: Collection[int], due_at: datetime) -> set[int]:
    """Accounts whose job of that moment has been begun."""
    query = select(JobRun.account_id).where(
        JobRun.job == job, JobRun.due_at == due_at, col(JobRun.account_id).in_(account_ids)
    )
    return {one for one in session.exec(query) if one is not None}
