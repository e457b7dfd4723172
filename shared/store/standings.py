"""How each account stands, one row an account and one statement for all of them: money, last decision, holdings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from shared.domain.account import Market
from shared.models import (
    BrokerageAccount,
    CashBalance,
    DecisionRow,
    EquitySnapshot,
    PositionRow,
    RuleVersion,
)

MOST_HELD = 5_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an account; None where nothing is."""

    cash: CashBalance | None  # in its market's currency
    equity: EquitySnapshot | None  # the newest
    opening: EquitySnapshot | None  # the last before its market's day began, else the day's first
    decision: DecisionRow | None


@dataclass(frozen=True, slots=True)
class Holding:
    row: PositionRow
    guard_version: int | None  # the number people know the guarding version by


def of_accounts(
    session: Session, account_ids: Collection[int], starts: Mapping[Market, datetime]
) -> dict[int, Standing]:
    """Each account by its id; `starts` is when each market's day began.

    Each newest row is one look-up in its index; an account that wrote no equity today has no opening: what it earned on
    its last day is no result of this one.
    """
    account, equity = BrokerageAccount, EquitySnapshot
    start = case(*((col(account.market) == market.value, at) for market, at in starts.items()))
    latest, before, first = aliased(equity), aliased(equity), aliased(equity)
    own = case(*((col(account.market) == market.value, market.currency.value) for market in starts))
    spoken = sa_select(func.max(DecisionRow.id)).where(col(DecisionRow.account_id) == col(account.id))
    newest, oldest = col(equity.at).desc(), col(equity.at)
    query = (
        sa_select(col(account.id), CashBalance, latest, before, first, DecisionRow)
        .outerjoin(CashBalance, and_(col(CashBalance.account_id) == col(account.id), col(CashBalance.currency) == own))
        .outerjoin(latest, col(latest.id) == _one(newest))
        .outerjoin(before, col(before.id) == _one(newest, col(equity.at) < start))
        .outerjoin(first, col(first.id) == _one(oldest, col(equity.at) >= start))
        .outerjoin(DecisionRow, col(DecisionRow.id) == spoken.correlate(account).scalar_subquery())
        .where(col(account.id).in_(account_ids))
    )
    return {
        key: Standing(cash, last, (opened or began) if last is not None and began is not None else None, said)
        for key, cash, last, opened, began, said in session.execute(query)
    }


def _one(order: Any, *only: Any) -> Any:
    """The id of an account's first snapshot in that order."""
    mine = col(EquitySnapshot.account_id) == col(BrokerageAccount.id)
    found = sa_select(col(EquitySnapshot.id)).where(mine, *only).order_by(order).limit(1)
    return found.correlate(BrokerageAccount).scalar_subquery()


def holdings(session: Session, account_ids: Collection[int]) -> tuple[Holding, ...]:
    """By account and symbol."""
    query = (
        sa_select(PositionRow, col(RuleVersion.number))
        .outerjoin(RuleVersion, col(RuleVersion.id) == col(PositionRow.guard_version_id))
        .where(col(PositionRow.account_id).in_(account_ids))
        .order_by(col(PositionRow.account_id), col(PositionRow.symbol))
    )
    return tuple(Holding(row, number) for row, number in session.execute(query.limit(MOST_HELD)))
