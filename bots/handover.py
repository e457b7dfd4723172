"""Take an account over from another host: its orders, fills and lots from the store into a new journal.

Whoever acted before wrote each order into the store before it left (`failover: auto`, bots/sync.py:told), so nothing
that may be live at the broker is missing here. What the store says of an order is where its history goes on; the
broker's lists tell the rest, as after any restart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bots.journal import Changes, Event, Journal
from bots.lots import LotBook
from bots.orders import BrokerNumber, DayMark, DeskOrder, JournalKind, RecordedFill
from shared.db import Record, Store
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, OrderType, Side, TimeInForce
from shared.domain.order_state import OPEN, OrderStatus
from shared.store import heartbeats, history


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of an account's trading, oldest first."""

    orders: tuple[DeskOrder, ...]
    fills: tuple[tuple[DeskOrder, Record], ...]
    marks: tuple[tuple[str, str, int, str], ...]  # of the last day: date, symbol, shares, price (DayBook.told)


def put_aside(folder: Path, moment: datetime) -> None:
    """Keep the journal of an earlier time on this host under another name: another host has acted since."""
    for path in folder.glob("journal.db*"):
        path.rename(path.with_name(path.name.replace("journal.db", f"journal-{moment:%Y%m%d%H%M%S}.db", 1)))


def read(store: Store, account_id: int, since: date) -> History:
    """Read orders that are open or not older than `since`, all fills (they make the lots), and the day's marks."""
    rows = {row.id: row for row in history.orders(store, account_id)}
    orders = {key: _order(row) for key, row in rows.items()}
    kept = tuple(one for one in orders.values() if one.trade_date >= since or one.status in OPEN)
    fills = tuple((orders[row.order_id], row) for row in history.fills(store, account_id))
    beat = heartbeats.beat_of(store, account_id)
    marks = beat.detail.get("day", []) if beat is not None else []
    return History(kept, fills, tuple((day, symbol, quantity, price) for day, symbol, quantity, price in marks))


async def write(journal: Journal, past: History, today: date) -> None:
    """Put the past into a new journal, with the lots and the day's marks that follow from it."""
    kept = {one.id for one in past.orders}
    noticed: Counter[str] = Counter()  # order → shares that the stream told, which the broker's list tells again
    for order, row in past.fills:
        noticed[order.id] += row.qty if ":x:" in row.execution_id else 0
    for order in past.orders:
        numbers = () if order.broker_order_id is None else (_number(order, noticed[order.id]),)
        events = (_sending(order),) if order.is_unproven else ()
        await journal.write(Changes(order=order, opened=True, numbers=numbers, events=events))
    lots, seq, before_today = LotBook(()), 0, 0
    for order, row in past.fills:
        lots.keep(lots.after_fill(order, row.qty, row.price, row.filled_at))
        if order.id in kept:
            seq += 1
            before_today = before_today if order.trade_date == today else seq
            await journal.write(Changes(fill=_fill(order, row, seq), seen_executions=(row.execution_id,)))
    marks = tuple(
        DayMark(today, symbol, quantity, Decimal(price), before_today)
        for day, symbol, quantity, price in past.marks
        if day == today.isoformat()
    )
    await journal.write(Changes(lots=lots.all(), marks=marks))


def _order(row: Record) -> DeskOrder:
    more: dict[str, Any] = row.raw or {}
    quantity, price = more.get("asked") or (row.qty, row.price)
    request = OrderRequest(
        symbol=row.symbol, side=Side(row.side), quantity=int(quantity), price=None if price is None else Decimal(str(price)),
        venue=Venue(row.venue), currency=Currency(row.currency), client_order_id=row.client_order_id,
        order_type=OrderType(row.order_type), time_in_force=TimeInForce(row.time_in_force), rule_id=row.rule_id,
        signal_key=more.get("signal"), reduces=bool(more.get("reduces", row.side == Side.SELL)), reason=row.reason,
    )  # fmt: skip
    status = OrderStatus(row.status)
    return DeskOrder(
        # Not sent, as far as the store knows; it may have been late. Only the broker knows.
        request=request, status=OrderStatus.SUBMITTED if status is OrderStatus.PENDING else status, trade_date=date.fromisoformat(row.trade_date),
        created_at=row.placed_at, market_at=_at(more.get("market_at")) or row.placed_at, quantity=row.qty,
        price=row.price, version_id=row.version_id, sent_at=_at(more.get("sent_at")),
        closed_at=_at(more.get("closed_at")), broker_order_id=row.broker_order_id, org_no=more.get("org_no") or "",
        filled_quantity=row.filled_qty, filled_amount=(row.avg_fill_price or Decimal(0)) * row.filled_qty,
        cancel_requested_at=_at(more.get("cancel_at")), amend_pending=bool(more.get("amending")), note=row.reason,
    )  # fmt: skip


def _sending(order: DeskOrder) -> Event:
    """When it was sent at the earliest, in market time: the search for it begins there (bots/reconcile.py)."""
    waited = order.sent_at - order.created_at if order.sent_at is not None else timedelta(0)
    return Event(
        order.id, JournalKind.SENDING, OrderStatus.PENDING, OrderStatus.SUBMITTED,
        (order.sent_at or order.created_at).isoformat(), (order.market_at + waited).isoformat(), "다른 호스트에서 보냄",
    )  # fmt: skip


def _number(order: DeskOrder, noticed: int) -> BrokerNumber:
    filled, amount = order.filled_quantity, order.filled_amount
    return BrokerNumber(order.trade_date, order.broker_order_id or "", order.id, filled, noticed, filled, amount)


def _fill(order: DeskOrder, row: Record, seq: int) -> RecordedFill:
    return RecordedFill(
        execution_id=row.execution_id, client_order_id=order.id, broker_order_id=order.broker_order_id or "",
        rule_id=order.request.rule_id, symbol=row.symbol, side=Side(row.side), quantity=row.qty, price=row.price,
        filled_at=row.filled_at, trade_date=order.trade_date, seq=seq,
    )  # fmt: skip


def _at(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
