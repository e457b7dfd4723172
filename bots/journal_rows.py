"""The journal's tables and statements. Called on the journal's own thread only."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bots.orders import BrokerNumber, DayMark, DeskOrder, RecordedFill, RuleLot
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, OrderSession, OrderType, Side, TimeInForce
from shared.domain.order_state import TERMINAL, OrderStatus

if TYPE_CHECKING:
    from bots.journal import Changes, JournalState

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders(
  client_order_id TEXT PRIMARY KEY, signal_key TEXT UNIQUE, rule_id INTEGER, version_id INTEGER,
  symbol TEXT NOT NULL, side TEXT NOT NULL, asked_quantity INTEGER NOT NULL, asked_price TEXT,
  quantity INTEGER NOT NULL, price TEXT, order_type TEXT NOT NULL, time_in_force TEXT NOT NULL,
  venue TEXT NOT NULL, currency TEXT NOT NULL, reduces INTEGER NOT NULL, reason TEXT NOT NULL,
  status TEXT NOT NULL, trade_date TEXT NOT NULL, created_at TEXT NOT NULL, market_at TEXT NOT NULL,
  sent_at TEXT, closed_at TEXT, broker_order_id TEXT, org_no TEXT NOT NULL, filled_quantity INTEGER NOT NULL,
  filled_amount TEXT NOT NULL, cancel_requested_at TEXT, amend_pending INTEGER NOT NULL, note TEXT NOT NULL,
  session TEXT NOT NULL DEFAULT 'REGULAR');
CREATE TABLE IF NOT EXISTS events(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, client_order_id TEXT NOT NULL, kind TEXT NOT NULL, from_status TEXT NOT NULL,
  to_status TEXT NOT NULL, wall_at TEXT NOT NULL, market_at TEXT NOT NULL, why TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_of_order ON events(client_order_id, seq);
CREATE TABLE IF NOT EXISTS numbers(
  trade_date TEXT NOT NULL, broker_order_id TEXT NOT NULL, client_order_id TEXT NOT NULL REFERENCES orders,
  cumulative INTEGER NOT NULL, noticed INTEGER NOT NULL, applied INTEGER NOT NULL, applied_amount TEXT NOT NULL,
  PRIMARY KEY (trade_date, broker_order_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fills(
  seq INTEGER PRIMARY KEY, execution_id TEXT NOT NULL UNIQUE,
  client_order_id TEXT NOT NULL REFERENCES orders, broker_order_id TEXT NOT NULL, rule_id INTEGER,
  symbol TEXT NOT NULL, side TEXT NOT NULL, quantity INTEGER NOT NULL, price TEXT NOT NULL, filled_at TEXT NOT NULL,
  trade_date TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen_executions(execution_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lots(
  rule_id INTEGER NOT NULL, symbol TEXT NOT NULL, quantity INTEGER NOT NULL, cost TEXT NOT NULL,
  opened_at TEXT NOT NULL, version_id INTEGER, highest TEXT NOT NULL, bars_held INTEGER NOT NULL,
  PRIMARY KEY (rule_id, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day_marks(
  trade_date TEXT NOT NULL, symbol TEXT NOT NULL, quantity INTEGER NOT NULL, price TEXT NOT NULL,
  fill_seq INTEGER NOT NULL, PRIMARY KEY (trade_date, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, stream_seq INTEGER NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS streams(stream TEXT PRIMARY KEY, last_seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS poison(
  seq INTEGER PRIMARY KEY, stream TEXT NOT NULL, stream_seq INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
  why TEXT NOT NULL);
"""

_ORDER_COLUMNS = (
    "client_order_id, signal_key, rule_id, version_id, symbol, side, asked_quantity, asked_price, quantity, price, "
    "order_type, time_in_force, venue, currency, reduces, reason, status, trade_date, created_at, market_at, sent_at, "
    "closed_at, broker_order_id, org_no, filled_quantity, filled_amount, cancel_requested_at, amend_pending, note, session"
)

_CHANGING = (
    "quantity", "price", "status", "sent_at", "closed_at", "broker_order_id", "org_no", "filled_quantity",
    "filled_amount", "cancel_requested_at", "amend_pending", "note",
)  # fmt: skip

# An order's identity never changes: a second intent for the same signal or id must fail, not overwrite.
_OPEN_ORDER = f"INSERT INTO orders({_ORDER_COLUMNS}) VALUES ({', '.join('?' * len(_ORDER_COLUMNS.split(',')))})"
_CHANGE_ORDER = (
    _OPEN_ORDER
    + " ON CONFLICT(client_order_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
)


def create(connection: sqlite3.Connection) -> None:
    """Make what is missing; inside the caller's transaction."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            connection.execute(statement)
    if not any(row[1] == "session" for row in connection.execute("PRAGMA table_info(orders)")):  # a journal of before
        connection.execute("ALTER TABLE orders ADD COLUMN session TEXT NOT NULL DEFAULT 'REGULAR'")


def claim_identity(connection: sqlite3.Connection, identity: str) -> str:
    """Write `identity` into a new journal; return the one it has."""
    connection.execute("INSERT OR IGNORE INTO facts VALUES ('identity', ?)", (identity,))
    return str(connection.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()[0])


def insert(connection: sqlite3.Connection, changes: Changes) -> int:
    """Write every part of `changes`; return the last event's sequence."""
    seq = 0
    if changes.order is not None:
        _put_order(connection, changes.order, changes.opened)
    for event in changes.events:
        cursor = connection.execute(
            "INSERT INTO events(client_order_id, kind, from_status, to_status, wall_at, market_at, why, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.client_order_id,
                event.kind,
                event.from_status,
                event.to_status,
                event.wall_at,
                event.market_at,
                event.why,
                event.data,
            ),
        )
        seq = int(cursor.lastrowid or 0)
    for number in changes.numbers:
        _put_number(connection, number)
    if changes.fill is not None:
        _add_fill(connection, changes.fill)
    if changes.seen_executions:
        connection.executemany("INSERT INTO seen_executions VALUES (?)", [(one,) for one in changes.seen_executions])
    for lot in changes.lots:
        _put_lot(connection, lot)
    if changes.marks:
        connection.executemany(
            "INSERT OR REPLACE INTO day_marks VALUES (?, ?, ?, ?, ?)",
            [(m.trade_date.isoformat(), m.symbol, m.quantity, str(m.price), m.fill_seq) for m in changes.marks],
        )
    if changes.facts:
        connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", changes.facts)
    for out in changes.outbox:
        _queue(connection, out.stream, out.key, out.body)
    return seq


def _queue(connection: sqlite3.Connection, stream: str, key: str, body: str) -> None:
    row = connection.execute(
        "INSERT INTO streams VALUES (?, 1) ON CONFLICT(stream) DO UPDATE SET last_seq = last_seq + 1 "
        "RETURNING last_seq",
        (stream,),
    ).fetchone()
    connection.execute(
        "INSERT INTO outbox(stream, stream_seq, key, body) VALUES (?, ?, ?, ?)", (stream, row[0], key, body)
    )


def raise_streams(connection: sqlite3.Connection, floors: dict[str, int]) -> None:
    connection.executemany(
        "INSERT INTO streams VALUES (?, ?) ON CONFLICT(stream) DO UPDATE SET last_seq = max(last_seq, excluded.last_seq)",
        list(floors.items()),
    )


def _put_order(connection: sqlite3.Connection, order: DeskOrder, opened: bool) -> None:
    request = order.request
    values = (
        request.client_order_id, request.signal_key, request.rule_id, order.version_id, request.symbol,
        request.side.value, request.quantity, _text(request.price), order.quantity, _text(order.price),
        request.order_type.value, request.time_in_force.value, request.venue.value, request.currency.value,
        int(request.reduces), request.reason, order.status.value, order.trade_date.isoformat(),
        order.created_at.isoformat(), order.market_at.isoformat(), _iso(order.sent_at), _iso(order.closed_at),
        order.broker_order_id, order.org_no, order.filled_quantity, str(order.filled_amount),
        _iso(order.cancel_requested_at), int(order.amend_pending), order.note, request.session.value,
    )  # fmt: skip
    connection.execute(_OPEN_ORDER if opened else _CHANGE_ORDER, values)


def _put_number(connection: sqlite3.Connection, number: BrokerNumber) -> None:
    """A number that another order of ours already owns is refused by the WHERE below (IntegrityError)."""
    cursor = connection.execute(
        "INSERT INTO numbers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(trade_date, broker_order_id) DO UPDATE SET "
        "cumulative = excluded.cumulative, noticed = excluded.noticed, applied = excluded.applied, "
        "applied_amount = excluded.applied_amount WHERE client_order_id = excluded.client_order_id",
        (
            number.trade_date.isoformat(),
            number.broker_order_id,
            number.client_order_id,
            number.cumulative,
            number.noticed,
            number.applied,
            str(number.applied_amount),
        ),
    )
    if cursor.rowcount == 0:
        raise sqlite3.IntegrityError(f"broker order {number.broker_order_id} belongs to another order of ours")


def _add_fill(connection: sqlite3.Connection, fill: RecordedFill) -> None:
    values = (
        fill.seq, fill.execution_id, fill.client_order_id, fill.broker_order_id, fill.rule_id, fill.symbol,
        fill.side.value, fill.quantity, str(fill.price), fill.filled_at.isoformat(), fill.trade_date.isoformat(),
    )  # fmt: skip
    connection.execute(f"INSERT INTO fills VALUES ({', '.join('?' * len(values))})", values)


def _put_lot(connection: sqlite3.Connection, lot: RuleLot) -> None:
    if lot.quantity <= 0:
        connection.execute("DELETE FROM lots WHERE rule_id = ? AND symbol = ?", (lot.rule_id, lot.symbol))
        return
    connection.execute(
        "INSERT OR REPLACE INTO lots VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            lot.rule_id,
            lot.symbol,
            lot.quantity,
            str(lot.cost),
            lot.opened_at.isoformat(),
            lot.version_id,
            str(lot.highest),
            lot.bars_held,
        ),
    )


def load(connection: sqlite3.Connection, since: date, build: type[JournalState]) -> JournalState:
    """Read the state a starting bot needs."""
    over = ", ".join(f"'{status.value}'" for status in TERMINAL)
    day = since.isoformat()
    orders = connection.execute(
        f"SELECT {_ORDER_COLUMNS} FROM orders WHERE trade_date >= ? OR status NOT IN ({over}) ORDER BY rowid", (day,)
    ).fetchall()
    ids = {row[0] for row in orders}
    numbers = connection.execute("SELECT * FROM numbers").fetchall()
    fills = connection.execute(
        "SELECT execution_id, client_order_id, broker_order_id, rule_id, symbol, side, quantity, price, filled_at, "
        "trade_date, seq FROM fills WHERE trade_date >= ? ORDER BY seq",
        (day,),
    ).fetchall()
    return build(
        orders=tuple(_order(row) for row in orders),
        numbers=tuple(_number(row) for row in numbers if row[2] in ids),
        fills=tuple(_fill(row) for row in fills),
        seen_executions=frozenset(row[0] for row in connection.execute("SELECT execution_id FROM seen_executions")),
        lots=tuple(_lot(row) for row in connection.execute("SELECT * FROM lots ORDER BY rule_id, symbol")),
        marks=tuple(
            DayMark(date.fromisoformat(row[0]), row[1], row[2], Decimal(row[3]), row[4])
            for row in connection.execute("SELECT * FROM day_marks WHERE trade_date >= ?", (day,))
        ),
        facts=dict(connection.execute("SELECT name, value FROM facts").fetchall()),
        order_count=_count(connection, "SELECT count(*) FROM orders"),
        fill_seq=_count(connection, "SELECT coalesce(max(seq), 0) FROM fills"),
    )


def events_of(connection: sqlite3.Connection, client_order_id: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT client_order_id, kind, from_status, to_status, wall_at, market_at, why, data FROM events "
        "WHERE client_order_id = ? ORDER BY seq",
        (client_order_id,),
    ).fetchall()


def queued(connection: sqlite3.Connection, limit: int) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT seq, stream, stream_seq, key, body FROM outbox ORDER BY seq LIMIT ?", (limit,)
    ).fetchall()


def outbox_depth(connection: sqlite3.Connection) -> int:
    return _count(connection, "SELECT count(*) FROM outbox")


def delete_outbox(connection: sqlite3.Connection, up_to_seq: int) -> None:
    connection.execute("DELETE FROM outbox WHERE seq <= ?", (up_to_seq,))


def set_aside(connection: sqlite3.Connection, seq: int, why: str) -> None:
    connection.execute(
        "INSERT INTO poison SELECT seq, stream, stream_seq, key, body, ? FROM outbox WHERE seq = ?", (why, seq)
    )
    connection.execute("DELETE FROM outbox WHERE seq = ?", (seq,))


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _order(row: tuple[Any, ...]) -> DeskOrder:
    (cid, signal_key, rule_id, version_id, symbol, side, asked, asked_price, quantity, price, kind, tif, venue) = row[
        :13
    ]
    (currency, reduces, reason, status, trade_date, created_at, market_at, sent_at, closed_at) = row[13:22]
    (number, org_no, filled, amount, cancel_at, amend_pending, note, book) = row[22:]
    request = OrderRequest(
        symbol=symbol, side=Side(side), quantity=asked, price=_decimal(asked_price), venue=Venue(venue),
        currency=Currency(currency), client_order_id=cid, order_type=OrderType(kind), time_in_force=TimeInForce(tif),
        rule_id=rule_id, signal_key=signal_key, reduces=bool(reduces), reason=reason,
        session=OrderSession(book),
    )  # fmt: skip
    return DeskOrder(
        request=request, status=OrderStatus(status), trade_date=date.fromisoformat(trade_date),
        created_at=datetime.fromisoformat(created_at), market_at=datetime.fromisoformat(market_at),
        quantity=quantity, price=_decimal(price), version_id=version_id, sent_at=_moment(sent_at),
        closed_at=_moment(closed_at), broker_order_id=number, org_no=org_no, filled_quantity=filled,
        filled_amount=Decimal(amount), cancel_requested_at=_moment(cancel_at), amend_pending=bool(amend_pending),
        note=note,
    )  # fmt: skip


def _number(row: tuple[Any, ...]) -> BrokerNumber:
    return BrokerNumber(date.fromisoformat(row[0]), row[1], row[2], row[3], row[4], row[5], Decimal(row[6]))


def _fill(row: tuple[Any, ...]) -> RecordedFill:
    return RecordedFill(
        execution_id=row[0], client_order_id=row[1], broker_order_id=row[2], rule_id=row[3], symbol=row[4],
        side=Side(row[5]), quantity=row[6], price=Decimal(row[7]), filled_at=datetime.fromisoformat(row[8]),
        trade_date=date.fromisoformat(row[9]), seq=row[10],
    )  # fmt: skip


def _lot(row: tuple[Any, ...]) -> RuleLot:
    return RuleLot(
        row[0], row[1], row[2], Decimal(row[3]), datetime.fromisoformat(row[4]), row[5], Decimal(row[6]), row[7]
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
