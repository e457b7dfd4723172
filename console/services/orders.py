"""Orders and fills: see them, ask the owning bot to cancel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from console.services.changes import by_number
from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict, NotFound
from shared.domain.order_state import OPEN, OrderStatus
from shared.models import BrokerageAccount, Command, FillRow, OrderEvent, OrderRow
from shared.store import commands, panels
from shared.store.panels import OrderFilter
from shared.store.people import labels

LIMIT = 200
OPEN_ORDER_HORIZON = timedelta(days=30)  # no order of ours rests at a broker for longer
_OPEN_WORDS = frozenset(status.value for status in OPEN)
CANCEL_LIFE = timedelta(minutes=5)
# What a cancel may still reach. SUBMITTED and UNKNOWN carry no broker number yet: the bot resolves them first.
CANCELABLE = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL})


@dataclass(frozen=True, slots=True)
class OrderLine:
    id: int
    account_id: int
    account: str
    environment: str
    rule_id: int | None
    broker_order_id: str | None
    symbol: str
    side: str
    qty: int
    filled_qty: int
    price: Decimal | None
    avg_fill_price: Decimal | None
    currency: str
    order_type: str
    status: str
    reason: str
    origin: str
    placed_at: datetime
    updated_at: datetime

    @property
    def cancelable(self) -> bool:
        return self.status in CANCELABLE


@dataclass(frozen=True, slots=True)
class CommandLine:
    row: Command
    by: str


@dataclass(frozen=True, slots=True)
class FillLine:
    id: int
    order_id: int
    account_id: int
    account: str
    environment: str
    symbol: str
    side: str
    qty: int
    price: Decimal
    currency: str
    commission: Decimal | None
    tax: Decimal | None
    realized_pnl: Decimal | None
    filled_at: datetime


@by_number()
def listed(
    wiring: Wiring,
    actor: Actor,
    *,
    account_id: int | None = None,
    wanted: OrderFilter | None = None,
    limit: int = LIMIT,
) -> list[OrderLine]:
    """Newest first, of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        return listed_in(session, known, wanted or OrderFilter(), wiring.clock.wall_now(), limit)


def listed_in(
    session: Session, known: dict[int, BrokerageAccount], wanted: OrderFilter, now: datetime, limit: int = LIMIT
) -> list[OrderLine]:
    """The orders of accounts that were read in the caller's session, newest first."""
    if wanted.statuses and wanted.statuses <= _OPEN_WORDS:
        wanted = replace(wanted, since=now - OPEN_ORDER_HORIZON)
    rows = panels.orders(session, known.keys(), wanted, limit=min(limit, LIMIT))
    return [order_line(row, known[row.account_id]) for row in rows]


def open_orders(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[OrderLine]:
    """Orders that may still be live, the unproven ones included."""
    wanted = OrderFilter(statuses=frozenset(status.value for status in OPEN))
    return listed(wiring, actor, account_id=account_id, wanted=wanted)


@by_number()
def fills(
    wiring: Wiring, actor: Actor, *, account_id: int | None = None, symbol: str = "", limit: int = 100
) -> list[FillLine]:
    """Newest first."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        rows = panels.fills(session, known.keys(), symbol=symbol, limit=min(limit, LIMIT))
        return [_fill(row, known[row.account_id]) for row in rows]


@by_number()
def history(wiring: Wiring, actor: Actor, order_id: int) -> list[OrderEvent]:
    """Every transition of one order, oldest first."""
    with reading(wiring.engine) as session:
        row = session.get(OrderRow, order_id)
        if row is None:
            raise refuse(NotFound, "no_order", actor.lang, order=order_id)
        authorize(session, actor, Action.VIEW, row.account_id)
        return panels.order_events(session, order_id)


def broker_answer(wiring: Wiring, actor: Actor, order_id: int) -> dict[str, Any] | None:
    """What the broker answered, as the bot kept it: account and keys were masked before it was written."""
    with reading(wiring.engine) as session:
        row = session.get(OrderRow, order_id)
        if row is None:
            raise refuse(NotFound, "no_order", actor.lang, order=order_id)
        authorize(session, actor, Action.VIEW, row.account_id)
        return row.raw


def request_cancel(wiring: Wiring, actor: Actor, order_id: int, *, key: str) -> Command:
    """Ask the bot that owns the order to cancel what is left of it; the same key is the same command.

    While a cancel of the order waits, a second wish is that same command, whoever had it.

    Raises:
        Conflict: the order is not in a state that a cancel can reach.
    """
    with writing(wiring.engine) as session:
        row = session.get(OrderRow, order_id)
        if row is None:
            raise refuse(NotFound, "no_order", actor.lang, order=order_id)
        authorize(session, actor, Action.ORDER_CANCEL, row.account_id)
        if row.status not in CANCELABLE:
            raise refuse(Conflict, "not_cancelable", actor.lang, order=order_id)
        now = wiring.clock.wall_now()
        for asked in commands.waiting(session, now, row.account_id, commands.CommandKind.CANCEL_ORDER):
            if asked.payload.get("order_id") == order_id:
                return asked  # somebody else, or another tab, was first: one cancel is enough
        command, new = commands.request(
            session,
            now,
            account_id=row.account_id,
            kind=commands.CommandKind.CANCEL_ORDER,
            key=key,
            requested_by=actor.label,
            payload={"order_id": order_id, "client_order_id": row.client_order_id, "symbol": row.symbol},
            expires_at=now + CANCEL_LIFE,
        )
        if new:
            note(
                session,
                wiring,
                actor,
                Action.ORDER_CANCEL,
                f"order:{order_id}",
                account_id=row.account_id,
                after={"command": command.id},
            )
        account_id = row.account_id
    nudge(wiring.settings, account_id)
    return command


@by_number()
def recent_commands(wiring: Wiring, actor: Actor, account_id: int, *, limit: int = 8) -> list[CommandLine]:
    """What was asked of this account's bot and how far it is, newest first."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        names = labels(session)
        return [
            CommandLine(row, names.get(row.requested_by, row.requested_by))
            for row in commands.recent(session, account_id, limit=limit)
        ]


def _known(rows: list[BrokerageAccount], only: int | None) -> dict[int, BrokerageAccount]:
    return {row.id: row for row in rows if row.id is not None and only in (None, row.id)}


def order_line(row: OrderRow, account: BrokerageAccount) -> OrderLine:
    return OrderLine(
        id=row.id or 0,
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        rule_id=row.rule_id,
        broker_order_id=row.broker_order_id,
        symbol=row.symbol,
        side=row.side,
        qty=row.qty,
        filled_qty=row.filled_qty,
        price=row.price,
        avg_fill_price=row.avg_fill_price,
        currency=row.currency,
        order_type=row.order_type,
        status=row.status,
        reason=row.reason,
        origin=row.origin,
        placed_at=row.placed_at,
        updated_at=row.updated_at,
    )


def _fill(row: FillRow, account: BrokerageAccount) -> FillLine:
    return FillLine(
        id=row.id or 0,
        order_id=row.order_id,
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        symbol=row.symbol,
        side=row.side,
        qty=row.qty,
        price=row.price,
        currency=row.currency,
        commission=row.commission,
        tax=row.tax,
        realized_pnl=row.realized_pnl,
        filled_at=row.filled_at,
    )
