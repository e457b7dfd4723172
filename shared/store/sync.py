"""What a bot's outbox becomes in the store: idempotent upserts, one small table of streams.

A body is the row's columns as JSON (ISO times, decimals as text). `client_order_id` in a body stands for the order's id.
Applying a row twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.engine import Dialect
from sqlmodel import Session, SQLModel, col, delete, func, select

from shared.models import (
    BotVitals,
    CashBalance,
    DecisionRow,
    EquitySnapshot,
    ExecutionLog,
    FillRow,
    FxRate,
    InstrumentRow,
    JobRun,
    OrderEvent,
    OrderRow,
    PeriodProfit,
    PositionRow,
    PriceBar,
    Proposal,
    QuoteRow,
    ScheduledJob,
    StrategySignal,
)
from shared.models.columns import ExactDecimal, Instant


class PoisonRow(ValueError):
    """The body cannot become a row; set it aside and go on."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of outbox row: its table and the columns that make it the same row again."""

    model: type[SQLModel]
    unique: tuple[str, ...]


FOREIGN = "broker:"  # begins the client order id of orders that were given elsewhere

STREAMS: dict[str, Stream] = {
    "orders": Stream(OrderRow, ("account_id", "client_order_id")),
    "order_events": Stream(OrderEvent, ("account_id", "seq")),
    "fills": Stream(FillRow, ("account_id", "execution_id")),
    "positions": Stream(PositionRow, ("account_id", "symbol")),
    "cash": Stream(CashBalance, ("account_id", "currency")),
    "equity": Stream(EquitySnapshot, ("account_id", "at")),
    "logs": Stream(ExecutionLog, ("account_id", "seq")),
    "signals": Stream(StrategySignal, ("account_id", "signal_key")),
    "decisions": Stream(DecisionRow, ("account_id", "seq")),
    "quotes": Stream(QuoteRow, ("environment", "market", "symbol")),
    "bars": Stream(PriceBar, ("environment", "market", "symbol", "timeframe", "start")),
    "instruments": Stream(InstrumentRow, ("market", "symbol")),
    "profits": Stream(PeriodProfit, ("account_id", "trade_date", "symbol")),
    "proposals": Stream(Proposal, ("account_id", "proposal_key")),
    "vitals": Stream(BotVitals, ("account_id", "at")),
    "jobs": Stream(JobRun, ("account_id", "job", "due_at")),
    "schedule": Stream(ScheduledJob, ("account_id", "job")),
    "fx": Stream(FxRate, ("base", "quote", "at")),
}


def apply(session: Session, account_id: int, stream: str, body: Mapping[str, Any]) -> None:
    """Upsert one outbox row of `account_id`; a position of 0 shares is removed.

    Raises:
        PoisonRow: unknown stream or column, a value that is not what the column holds, or an order that is not there.
    """
    target = STREAMS.get(stream)
    if target is None:
        raise PoisonRow(f"no stream {stream!r}")
    if body.get("client_order_id", "").startswith(FOREIGN) and _is_ours(session, account_id, stream, body):
        return
    values = _columns(session, account_id, target, body)
    if stream == "positions" and values.get("qty") == 0:
        gone = delete(PositionRow).where(
            col(PositionRow.account_id) == account_id, col(PositionRow.symbol) == values["symbol"]
        )
        session.execute(gone)
        return
    table = target.model.__table__  # type: ignore[attr-defined]
    statement = _insert(session.get_bind().dialect)(table).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in target.unique}
    session.execute(statement.on_conflict_do_update(index_elements=list(target.unique), set_=changed))


def _is_ours(session: Session, account_id: int, stream: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a row of another program's order is one of our own orders, which only the journal had forgotten.

    A fill of such an order follows it: its order is not in the store.
    """
    same = select(OrderRow.id, OrderRow.trade_date).where(
        OrderRow.account_id == account_id, OrderRow.client_order_id == body["client_order_id"]
    )
    if stream != "orders":
        return session.exec(same).first() is None
    day = date.fromisoformat(body["trade_date"])
    near = [(day + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
    ours = select(OrderRow.id).where(
        OrderRow.account_id == account_id,
        OrderRow.broker_order_id == body["broker_order_id"],
        OrderRow.symbol == body["symbol"],
        OrderRow.origin != "broker",
        col(OrderRow.trade_date).in_(near),
    )
    return session.exec(ours).first() is not None


def _insert(dialect: Dialect) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT; only the one in use is loaded (a bot pays 2 MB for the other)."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert


def replace_positions(session: Session, account_id: int, held: set[str]) -> None:
    """Remove the holdings of an account that a complete answer of its broker no longer lists."""
    query = delete(PositionRow).where(col(PositionRow.account_id) == account_id)
    session.execute(query.where(col(PositionRow.symbol).not_in(sorted(held))) if held else query)


def _columns(session: Session, account_id: int, target: Stream, body: Mapping[str, Any]) -> dict[str, Any]:
    table = target.model.__table__  # type: ignore[attr-defined]
    given = dict(body)
    if "client_order_id" in given and "client_order_id" not in table.columns:
        given["order_id"] = _order_id(session, account_id, given.pop("client_order_id"))
    if "account_id" in table.columns:
        given["account_id"] = account_id
    values = {}
    for name, value in given.items():
        if name not in table.columns:
            raise PoisonRow(f"{table.name} has no column {name!r}")
        values[name] = _typed(table.columns[name].type, name, value)
    for column in table.columns:  # defaults of the model stand for columns the body leaves out
        if column.name not in values and not column.primary_key:
            field = target.model.model_fields[column.name]
            if field.is_required():
                raise PoisonRow(f"{table.name}.{column.name} is missing")
            values[column.name] = field.get_default(call_default_factory=True)
    return values


def _order_id(session: Session, account_id: int, client_order_id: str) -> int:
    found = session.exec(
        select(OrderRow.id).where(OrderRow.account_id == account_id, OrderRow.client_order_id == client_order_id)
    ).first()
    if found is None:
        raise PoisonRow(f"order {client_order_id} is not in the store")
    return found


def _typed(kind: Any, name: str, value: Any) -> Any:
    try:
        if value is None:
            return None
        if isinstance(kind, Instant):
            return datetime.fromisoformat(value)
        if isinstance(kind, ExactDecimal):
            return Decimal(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise PoisonRow(f"{name} holds {value!r}") from error
    return value


def last_sequences(session: Session, account_id: int) -> dict[str, int]:
    """The highest sequence the store has of each numbered stream: a journal made anew goes on above it."""
    floors = {}
    for name in ("order_events", "logs", "decisions"):
        model: Any = STREAMS[name].model
        highest = session.exec(select(func.max(model.seq)).where(model.account_id == account_id)).one()
        floors[name] = int(highest or 0)
    return floors
