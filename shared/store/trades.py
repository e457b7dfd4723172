"""What reports and charts read of the market and of our executions. One statement each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from shared.models import FillRow, OrderRow, Owner, PriceBar, ProfitRollup, QuoteRow

PORTION = 2_000  # rows in memory at once


@dataclass(frozen=True, slots=True)
class Trade:
    """An execution with the rule that wanted it."""

    id: int
    account_id: int
    rule_id: int | None
    symbol: str
    side: str
    qty: int
    price: Decimal
    currency: str
    commission: Decimal | None
    tax: Decimal | None
    filled_at: datetime
    order_id: int
    realized_pnl: Decimal | None = None  # a sale against its rule's own average price, by the bot; fees excluded


def after(session: Session, fill_id: int, *, limit: int = 1_000_000) -> list[Trade]:
    """Executions of all accounts recorded after `fill_id`, in the order of recording."""
    query = _trades().where(col(FillRow.id) > fill_id).order_by(col(FillRow.id)).limit(limit)
    return [Trade(*row) for row in session.execute(query)]


def _trades() -> Any:
    return sa_select(
        col(FillRow.id),
        col(FillRow.account_id),
        col(OrderRow.rule_id),
        col(FillRow.symbol),
        col(FillRow.side),
        col(FillRow.qty),
        col(FillRow.price),
        col(FillRow.currency),
        col(FillRow.commission),
        col(FillRow.tax),
        col(FillRow.filled_at),
        col(FillRow.order_id),
        col(FillRow.realized_pnl),
    ).join(OrderRow, col(OrderRow.id) == col(FillRow.order_id))


def count_between(session: Session, first: int, last: int) -> int:
    """How many executions have a number from `first` to `last`."""
    query = sa_select(func.count()).select_from(FillRow).where(col(FillRow.id) >= first, col(FillRow.id) <= last)
    return int(session.execute(query).scalar_one())


def of_account(session: Session, account_id: int) -> Iterator[Trade]:
    """Every execution of an account in the order in which they were traded, read in portions."""
    query = _trades().where(col(FillRow.account_id) == account_id).order_by(col(FillRow.filled_at), col(FillRow.id))
    for row in session.execute(query, execution_options={"yield_per": PORTION}):
        yield Trade(*row)


def versions(session: Session) -> dict[int, tuple[int, int]]:
    """Per account how many executions there are and the newest one's number: changes with each that comes, late or not."""
    query = sa_select(col(FillRow.account_id), func.count(), func.max(col(FillRow.id)))
    rows = session.execute(query.group_by(col(FillRow.account_id)))
    return {account: (count, newest) for account, count, newest in rows}


def fills_since(session: Session, account_id: int, since: datetime) -> list[FillRow]:
    """Every execution of an account since then, oldest first."""
    query = select(FillRow).where(FillRow.account_id == account_id, col(FillRow.filled_at) >= since)
    return list(session.exec(query.order_by(col(FillRow.filled_at), col(FillRow.id))))


@dataclass(frozen=True, slots=True)
class RollupHead:
    """Up to where earnings were kept, and how they were reckoned."""

    last_fill_id: int
    newest_at: datetime | None
    rates: int
    rates_at: datetime | None
    basis: str


def rollup_heads(session: Session) -> dict[int, RollupHead]:
    """By account, in order; without the figures, which are large."""
    query = sa_select(
        col(ProfitRollup.account_id), col(ProfitRollup.last_fill_id), col(ProfitRollup.newest_at),
        col(ProfitRollup.rates), col(ProfitRollup.rates_at), col(ProfitRollup.basis),
    )  # fmt: skip
    rows = session.execute(query.order_by(col(ProfitRollup.account_id)))
    return {account: RollupHead(*head) for account, *head in rows}


def rollups(session: Session, account_ids: Iterable[int]) -> Iterator[ProfitRollup]:
    """What was kept of the accounts' earnings, one account in memory at a time."""
    for account in account_ids:
        row = session.get_one(ProfitRollup, account)
        yield row
        session.expunge(row)


def of_symbol(session: Session, account_ids: Collection[int], symbol: str, since: datetime) -> list[FillRow]:
    """Executions of a symbol since then, newest first, among the newest 2,000 of all accounts.

    Accounts are chosen here, so that the store walks its index of time and nothing else.
    """
    query = select(FillRow).where(FillRow.symbol == symbol, col(FillRow.filled_at) >= since)
    rows = session.exec(query.order_by(col(FillRow.filled_at).desc()).limit(2000))
    return [row for row in rows if row.account_id in account_ids]


def quotes(session: Session, environments: Collection[str], markets: Collection[str]) -> list[QuoteRow]:
    query = select(QuoteRow).where(col(QuoteRow.environment).in_(environments), col(QuoteRow.market).in_(markets))
    return list(session.exec(query.order_by(col(QuoteRow.market), col(QuoteRow.symbol)).limit(200)))


@dataclass(frozen=True, slots=True)
class BarRow:
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


def bars(session: Session, environment: str, market: str, symbol: str, timeframe: str, *, limit: int) -> list[BarRow]:
    """Oldest first; the newest `limit`. Plain rows: ten thousand of them are drawn at once."""
    query = sa_select(
        col(PriceBar.start), col(PriceBar.open), col(PriceBar.high), col(PriceBar.low), col(PriceBar.close),
        col(PriceBar.volume),
    ).where(
        col(PriceBar.environment) == environment, col(PriceBar.market) == market, col(PriceBar.symbol) == symbol,
        col(PriceBar.timeframe) == timeframe,
    )  # fmt: skip
    rows = session.execute(query.order_by(col(PriceBar.start).desc()).limit(limit)).all()
    return [BarRow(*row) for row in reversed(rows)]


def owners(session: Session) -> dict[int, str]:
    return {found: name for found, name in session.exec(select(Owner.id, Owner.name)) if found is not None}
