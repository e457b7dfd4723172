"""Fee contracts, money paid in and out, and what the broker says it charged. One statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func
from sqlmodel import Session, col, select

from shared.models import CashFlow, EquitySnapshot, FeeContract, FillRow, InstrumentRow, PeriodProfit


def by_account(session: Session) -> dict[int, list[FeeContract]]:
    found: dict[int, list[FeeContract]] = defaultdict(list)
    for row in session.exec(select(FeeContract).order_by(col(FeeContract.effective_from), col(FeeContract.id))):
        found[row.account_id].append(row)
    return dict(found)


def version(session: Session) -> tuple[int, int]:
    """Changes whenever a contract was added or an instrument became known."""
    known = select(func.count(col(InstrumentRow.id))).scalar_subquery()
    contracts, newest, instruments = session.exec(select(func.count(), func.max(FeeContract.id), known)).one()
    return int(newest or 0) * 1000 + int(contracts), int(instruments or 0)


def instruments(session: Session) -> dict[tuple[str, str], InstrumentRow]:
    """Static facts of every symbol that was ever traded here, by market and symbol."""
    traded = select(FillRow.symbol).distinct()
    rows = session.exec(select(InstrumentRow).where(col(InstrumentRow.symbol).in_(traded)))
    return {(row.market, row.symbol): row for row in rows}


def told(session: Session, account_ids: Collection[int], since: date, until: date) -> list[PeriodProfit]:
    """The broker's own figures of whole days, newest first."""
    query = select(PeriodProfit).where(
        col(PeriodProfit.account_id).in_(account_ids),
        PeriodProfit.symbol == "",
        PeriodProfit.trade_date >= since.isoformat(),
        PeriodProfit.trade_date <= until.isoformat(),
    )
    return list(session.exec(query.order_by(col(PeriodProfit.trade_date).desc(), col(PeriodProfit.account_id))))


def flows(session: Session, account_ids: Collection[int]) -> list[CashFlow]:
    """Oldest first."""
    query = select(CashFlow).where(col(CashFlow.account_id).in_(account_ids))
    return list(session.exec(query.order_by(col(CashFlow.at), col(CashFlow.id))))


def daily_equity(session: Session, account_id: int, since: datetime) -> list[tuple[datetime, Decimal]]:
    """The last known equity of each hour, oldest first: enough to cut at a flow."""
    newest = (
        select(func.max(EquitySnapshot.id))
        .where(EquitySnapshot.account_id == account_id, col(EquitySnapshot.at) >= since)
        .group_by(func.substr(_text(session), 1, 13))
    )
    query = select(EquitySnapshot).where(col(EquitySnapshot.id).in_(newest)).order_by(col(EquitySnapshot.at))
    return [(row.at, row.equity) for row in session.exec(query)]


def _text(session: Session) -> object:
    """The moment as text that begins with date and hour, in UTC, on either database."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", col(EquitySnapshot.at)), "YYYY-MM-DD HH24:MI")
    return func.substr(col(EquitySnapshot.at), 1, 16)
