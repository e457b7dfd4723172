"""What the console's panels read: one statement per panel, always of named accounts, always with a limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, union_all
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from shared.domain.order_state import OPEN
from shared.models import (
    ApiCredential,
    BrokerageAccount,
    CashBalance,
    DecisionRow,
    EquitySnapshot,
    ExecutionLog,
    FillRow,
    Heartbeat,
    InstrumentRow,
    OrderEvent,
    OrderRow,
    PositionRow,
    QuoteRow,
    RuleVersion,
    StrategySignal,
    TradeRule,
)

_OPEN = frozenset(status.value for status in OPEN)
SEARCHED = 50_000  # log lines that a search looks through


def heartbeats(session: Session, account_ids: Collection[int]) -> dict[int, Heartbeat]:
    rows = session.exec(select(Heartbeat).where(col(Heartbeat.account_id).in_(account_ids)))
    return {row.account_id: row for row in rows}


def cash(session: Session, account_ids: Collection[int]) -> list[CashBalance]:
    query = select(CashBalance).where(col(CashBalance.account_id).in_(account_ids))
    return list(session.exec(query.order_by(col(CashBalance.account_id), col(CashBalance.currency))))


def positions(session: Session, account_ids: Collection[int], *, limit: int = 500) -> list[PositionRow]:
    query = select(PositionRow).where(col(PositionRow.account_id).in_(account_ids))
    return list(session.exec(query.order_by(col(PositionRow.account_id), col(PositionRow.symbol)).limit(limit)))


def decisions(session: Session, account_id: int, *, limit: int = 100) -> list[DecisionRow]:
    query = select(DecisionRow).where(DecisionRow.account_id == account_id)
    return list(session.exec(query.order_by(col(DecisionRow.id).desc()).limit(limit)))


def live_rules(
    session: Session, account_ids: Collection[int]
) -> list[tuple[TradeRule, int | None, DecisionRow | None]]:
    """Rules that are not archived, each with its version's number and its newest decision."""
    newest = sa_select(func.max(DecisionRow.id)).where(col(DecisionRow.rule_id) == col(TradeRule.id))
    query = (
        sa_select(TradeRule, col(RuleVersion.number), DecisionRow)
        .outerjoin(RuleVersion, col(RuleVersion.id) == col(TradeRule.version_id))
        .outerjoin(DecisionRow, col(DecisionRow.id) == newest.correlate(TradeRule).scalar_subquery())
        .where(col(TradeRule.archived_at).is_(None), col(TradeRule.account_id).in_(account_ids))
    )
    return [(row, number, said) for row, number, said in session.execute(query.order_by(col(TradeRule.id)))]


def last_signal_of_rules(session: Session, rule_ids: Collection[int]) -> dict[int, StrategySignal]:
    """The newest signal of each rule."""
    newest = sa_select(func.max(StrategySignal.id)).where(col(StrategySignal.rule_id) == col(TradeRule.id))
    ids = sa_select(newest.scalar_subquery()).where(col(TradeRule.id).in_(rule_ids))
    return {row.rule_id: row for row in session.exec(select(StrategySignal).where(col(StrategySignal.id).in_(ids)))}


def last_equity(session: Session, account_ids: Collection[int]) -> dict[int, EquitySnapshot]:
    """The newest equity snapshot of each account."""
    return _equity_at(session, _equity_of_account().order_by(col(EquitySnapshot.at).desc()), account_ids)


def equity_before(session: Session, starts: Mapping[int, datetime]) -> dict[int, EquitySnapshot]:
    """For each account its last snapshot before the given moment; accounts without one are left out."""
    found: dict[int, EquitySnapshot] = {}
    for start, accounts in _by_start(starts).items():
        newest = _equity_of_account().where(col(EquitySnapshot.at) < start).order_by(col(EquitySnapshot.at).desc())
        found.update(_equity_at(session, newest, accounts))
    return found


def equity_first_since(session: Session, starts: Mapping[int, datetime]) -> dict[int, EquitySnapshot]:
    """For each account its first snapshot at or after the given moment."""
    found: dict[int, EquitySnapshot] = {}
    for start, accounts in _by_start(starts).items():
        oldest = _equity_of_account().where(col(EquitySnapshot.at) >= start).order_by(col(EquitySnapshot.at))
        found.update(_equity_at(session, oldest, accounts))
    return found


def _equity_of_account() -> Any:
    return sa_select(col(EquitySnapshot.id)).where(col(EquitySnapshot.account_id) == col(BrokerageAccount.id)).limit(1)


def _equity_at(session: Session, one: Any, account_ids: Collection[int]) -> dict[int, EquitySnapshot]:
    rows = session.exec(select(EquitySnapshot).where(col(EquitySnapshot.id).in_(_each(one, account_ids))))
    return {row.account_id: row for row in rows}


def _by_start(starts: Mapping[int, datetime]) -> dict[datetime, list[int]]:
    """Accounts of one market share their midnight: one statement each."""
    shared: dict[datetime, list[int]] = {}
    for account, start in starts.items():
        shared.setdefault(start, []).append(account)
    return shared


def _each(one: Any, account_ids: Collection[int]) -> Any:
    """`one` id per account: a look-up in the index each, and a statement that does not grow with the accounts."""
    return sa_select(one.scalar_subquery()).where(col(BrokerageAccount.id).in_(account_ids))


def equity_series(
    session: Session, since: Mapping[int, datetime], *, points: int = 300
) -> dict[int, list[tuple[datetime, Decimal]]]:
    """Account → (moment, equity) since its moment, oldest first: about `points` each, evenly taken, the newest too."""
    found: dict[int, list[tuple[datetime, Decimal]]] = {account: [] for account in since}
    if found:
        each = union_all(*(_series(account, start, points) for account, start in since.items())).subquery()
        for account, moment, equity in session.execute(sa_select(each).order_by(each.c.account_id, each.c.at)):
            found[account].append((moment, equity))
    return found


def _series(account_id: int, since: datetime, points: int) -> Any:
    """The moments are chosen on the index alone; only the chosen rows are read."""
    at = col(EquitySnapshot.at)
    mine = col(EquitySnapshot.account_id) == account_id
    ranked = (
        sa_select(at, func.row_number().over(order_by=at.desc()).label("place"), func.count().over().label("many"))
        .where(mine, at >= since)
        .subquery()
    )
    chosen = sa_select(ranked.c.at).where((ranked.c.place - 1) % (ranked.c.many // points + 1) == 0)
    return sa_select(col(EquitySnapshot.account_id), at, col(EquitySnapshot.equity)).where(mine, at.in_(chosen))


def open_order_counts(session: Session, account_ids: Collection[int], since: datetime) -> dict[int, int]:
    """Orders that may still be live at the broker, by account. No order of ours outlives `since`."""
    query = (
        sa_select(col(OrderRow.account_id), func.count())
        .where(
            col(OrderRow.account_id).in_(account_ids),
            col(OrderRow.placed_at) >= since,
            col(OrderRow.status).in_(sorted(OPEN)),
        )
        .group_by(col(OrderRow.account_id))
    )
    return {account: count for account, count in session.execute(query)}  # noqa: C416  (rows are not pairs to mypy)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Empty fields do not filter."""

    statuses: frozenset[str] = frozenset()
    symbol: str = ""
    rule_id: int | None = None
    before: tuple[datetime, int] | None = None  # (placed_at, id) of the last row of the page before
    since: datetime | None = None  # placed at or after


def orders(session: Session, account_ids: Collection[int], wanted: OrderFilter, *, limit: int) -> list[OrderRow]:
    """Newest first by the time they were placed.

    Each account's newest are taken off its own index, then the newest of all: the cost does not grow with history. What
    is open is found by its status instead: it is little, and old orders are not walked for it.
    """
    if wanted.statuses and wanted.statuses <= _OPEN and wanted.before is None:
        rows = select(OrderRow).where(col(OrderRow.account_id).in_(account_ids), *_asked(wanted))
        return list(session.exec(rows.order_by(col(OrderRow.placed_at).desc(), col(OrderRow.id).desc()).limit(limit)))
    newest = [_newest_orders(account, wanted, limit) for account in account_ids]
    if not newest:
        return []
    ids = union_all(*(sa_select(one.c.id) for one in newest))
    query = select(OrderRow).where(col(OrderRow.id).in_(ids))
    return list(session.exec(query.order_by(col(OrderRow.placed_at).desc(), col(OrderRow.id).desc()).limit(limit)))


def newest_order_of_each(session: Session, account_ids: Collection[int]) -> dict[int, OrderRow]:
    """The last order of each account; accounts without one are left out."""
    newest = [_newest_orders(account, OrderFilter(), 1) for account in account_ids]
    if not newest:
        return {}
    ids = union_all(*(sa_select(one.c.id) for one in newest))
    return {row.account_id: row for row in session.exec(select(OrderRow).where(col(OrderRow.id).in_(ids)))}


def _asked(wanted: OrderFilter) -> list[Any]:
    found: list[Any] = []
    if wanted.since is not None:
        found.append(col(OrderRow.placed_at) >= wanted.since)
    if wanted.statuses:
        found.append(col(OrderRow.status).in_(sorted(wanted.statuses)))
    if wanted.symbol:
        found.append(col(OrderRow.symbol) == wanted.symbol)
    if wanted.rule_id is not None:
        found.append(col(OrderRow.rule_id) == wanted.rule_id)
    return found


def _newest_orders(account_id: int, wanted: OrderFilter, limit: int) -> Any:
    query = sa_select(col(OrderRow.id)).where(col(OrderRow.account_id) == account_id, *_asked(wanted))
    if wanted.before is not None:
        at, last = wanted.before
        older, same = col(OrderRow.placed_at) < at, col(OrderRow.placed_at) == at
        query = query.where(or_(older, and_(same, col(OrderRow.id) < last)))
    return query.order_by(col(OrderRow.placed_at).desc(), col(OrderRow.id).desc()).limit(limit).subquery()


def order_events(session: Session, order_id: int) -> list[OrderEvent]:
    return list(session.exec(select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(col(OrderEvent.id))))


def fills(session: Session, account_ids: Collection[int], *, symbol: str = "", limit: int = 100) -> list[FillRow]:
    """Newest first; each account's newest off its own index, as with orders: all fills are never put in order."""
    newest = []
    for account in account_ids:
        mine = sa_select(col(FillRow.id)).where(col(FillRow.account_id) == account)
        if symbol:
            mine = mine.where(col(FillRow.symbol) == symbol)
        newest.append(mine.order_by(col(FillRow.id).desc()).limit(limit).subquery())
    if not newest:
        return []
    ids = union_all(*(sa_select(one.c.id) for one in newest))
    query = select(FillRow).where(col(FillRow.id).in_(ids))
    return list(session.exec(query.order_by(col(FillRow.id).desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class LogFilter:
    levels: frozenset[str] = frozenset()
    text: str = ""
    rule_id: int | None = None
    before: int | None = None  # id of the last row of the page before
    after: int | None = None  # only what came since this id, oldest first


def logs(session: Session, account_ids: Collection[int], wanted: LogFilter, *, limit: int) -> list[ExecutionLog]:
    """Newest first; with `after`, oldest first.

    A search looks through the newest `SEARCHED` lines below `before`: rare words cost no more. `log_page` goes on.
    """
    query = _log_query(account_ids, wanted)
    if wanted.text or wanted.rule_id is not None:
        newest = session.exec(select(func.max(ExecutionLog.id))).one() or 0
        query = query.where(col(ExecutionLog.id) > min(newest, wanted.before or newest) - SEARCHED)
    if wanted.after is not None:
        return list(session.exec(query.order_by(col(ExecutionLog.id)).limit(limit)))
    return list(session.exec(query.order_by(col(ExecutionLog.id).desc()).limit(limit)))


def last_logs_of_each(session: Session, account_ids: Collection[int], limit: int) -> dict[int, list[ExecutionLog]]:
    """The newest lines of each account, newest first."""
    newest = [
        sa_select(col(ExecutionLog.id)).where(col(ExecutionLog.account_id) == account)
        .order_by(col(ExecutionLog.id).desc()).limit(limit).subquery()
        for account in account_ids
    ]  # fmt: skip
    found: dict[int, list[ExecutionLog]] = {account: [] for account in account_ids}
    if newest:
        ids = union_all(*(sa_select(one.c.id) for one in newest))
        query = select(ExecutionLog).where(col(ExecutionLog.id).in_(ids)).order_by(col(ExecutionLog.id).desc())
        for row in session.exec(query):
            found[row.account_id].append(row)
    return found


def log_page(
    session: Session, account_ids: Collection[int], wanted: LogFilter, *, limit: int, windows: int
) -> tuple[list[ExecutionLog], int]:
    """A page of a search over the whole table, newest first, and the id to go on below; 0 when all was looked through.

    One look walks at most `windows` × `SEARCHED` lines.
    """
    query = _log_query(account_ids, wanted)
    found: list[ExecutionLog] = []
    top = wanted.before or (session.exec(select(func.max(ExecutionLog.id))).one() or 0) + 1
    for _ in range(windows):
        floor = max(top - SEARCHED, 1)
        here = query.where(col(ExecutionLog.id) >= floor, col(ExecutionLog.id) < top)
        found += session.exec(here.order_by(col(ExecutionLog.id).desc()).limit(limit - len(found)))
        if len(found) >= limit:
            return found, found[-1].id or 0
        top = floor
        if floor == 1:
            return found, 0
    return found, top


def log_moment(session: Session, log_id: int) -> datetime | None:
    """When the first line at or above this id was written."""
    query = select(ExecutionLog.created_at).where(col(ExecutionLog.id) >= log_id).order_by(col(ExecutionLog.id))
    return session.exec(query.limit(1)).first()


def _log_query(account_ids: Collection[int], wanted: LogFilter) -> Any:
    query = select(ExecutionLog).where(col(ExecutionLog.account_id).in_(account_ids))
    if wanted.levels:
        query = query.where(col(ExecutionLog.level).in_(sorted(wanted.levels)))
    if wanted.text:
        query = query.where(col(ExecutionLog.message).icontains(wanted.text, autoescape=True))
    if wanted.rule_id is not None:
        query = query.where(ExecutionLog.rule_id == wanted.rule_id)
    if wanted.before is not None:
        query = query.where(col(ExecutionLog.id) < wanted.before)
    if wanted.after is not None:
        query = query.where(col(ExecutionLog.id) > wanted.after)
    return query


def quote(session: Session, environment: str, market: str, symbol: str) -> QuoteRow | None:
    """The newest quote of a symbol, or None: no bot watches it."""
    query = select(QuoteRow).where(QuoteRow.environment == environment, QuoteRow.market == market)
    return session.exec(query.where(QuoteRow.symbol == symbol)).first()


def watched_names(session: Session) -> dict[tuple[str, str], tuple[str, str]]:
    """(market, symbol) → its name in Korean and in English, "" where nobody told, of what a bot watches or holds."""
    one, watched = InstrumentRow, sa_select(col(QuoteRow.symbol)).union(sa_select(col(PositionRow.symbol)))
    query = sa_select(col(one.market), col(one.symbol), col(one.name), col(one.name_en))
    return {
        (market, symbol): (name, english)
        for market, symbol, name, english in session.execute(query.where(col(one.symbol).in_(watched)))
    }


def keyed_accounts(session: Session, account_ids: Collection[int]) -> frozenset[int]:
    """The accounts whose keys are registered."""
    query = select(ApiCredential.account_id).where(col(ApiCredential.account_id).in_(account_ids))
    return frozenset(session.exec(query))


def order_events_after(session: Session, account_ids: Collection[int], after: int, *, limit: int) -> list[OrderEvent]:
    """Transitions of orders since an id, oldest first."""
    query = select(OrderEvent).where(col(OrderEvent.account_id).in_(account_ids), col(OrderEvent.id) > after)
    return list(session.exec(query.order_by(col(OrderEvent.id)).limit(limit)))


def newest_event_id(session: Session) -> int:
    return session.exec(select(func.max(OrderEvent.id))).one() or 0


def newest_log_id(session: Session) -> int:
    return session.exec(select(func.max(ExecutionLog.id))).one() or 0


def order_counts(session: Session, account_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """Orders by account and status."""
    query = (
        sa_select(col(OrderRow.account_id), col(OrderRow.status), func.count())
        .where(col(OrderRow.account_id).in_(account_ids))
        .group_by(col(OrderRow.account_id), col(OrderRow.status))
    )
    return {(account, status): count for account, status, count in session.execute(query)}
