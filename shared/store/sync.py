"""What a bot's outbox becomes in the store: idempotent upserts, one small table of streams.

A body is the row's columns as JSON (ISO times, decimals as text). `client_order_id` in a body stands for the order's id.
Applying a row twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TableClause, TextClause, bindparam, delete, func, literal_column, select, text
from sqlalchemy.exc import DataError

from shared import tables
from shared.columns import ExactDecimal, Instant
from shared.db import Store, insert_of, on_postgresql

_orders, _positions, _quotes = tables.orders.c, tables.positions.c, tables.quotes.c


class PoisonRow(ValueError):
    """The body cannot become a row; set it aside and go on."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of outbox row: its table and the columns that make it the same row again."""

    table: TableClause
    unique: tuple[str, ...]


_SIGNS = ("+", "-")  # before the offset of a moment: …+09:00
FOREIGN = "broker:"  # begins the client order id of orders that were given elsewhere

_WRITTEN_BY_MANY = {
    "bars": 1,
    "instruments": 1,
}  # rows of a market, not of an account: last, and in the order of their keys

STREAMS: dict[str, Stream] = {
    "orders": Stream(tables.orders, ("account_id", "client_order_id")),
    "order_events": Stream(tables.order_events, ("account_id", "seq")),
    "fills": Stream(tables.fills, ("account_id", "execution_id")),
    "positions": Stream(tables.positions, ("account_id", "symbol")),
    "cash": Stream(tables.cash, ("account_id", "currency")),
    "equity": Stream(tables.equity, ("account_id", "at")),
    "logs": Stream(tables.execution_logs, ("account_id", "seq")),
    "signals": Stream(tables.signals, ("account_id", "signal_key")),
    "decisions": Stream(tables.decisions, ("account_id", "seq")),
    "quotes": Stream(tables.quotes, ("environment", "market", "symbol")),
    "bars": Stream(tables.bars, ("environment", "market", "symbol", "timeframe", "start")),
    "instruments": Stream(tables.instruments, ("market", "symbol")),
    "profits": Stream(tables.period_profits, ("account_id", "trade_date", "symbol")),
    "proposals": Stream(tables.proposals, ("account_id", "proposal_key")),
    "vitals": Stream(tables.vitals, ("account_id", "at")),
    "jobs": Stream(tables.job_runs, ("account_id", "job", "due_at")),
    "schedule": Stream(tables.scheduled_jobs, ("account_id", "job")),
    "fx": Stream(tables.fx_rates, ("base", "quote", "at")),
}


def apply(store: Store, account_id: int, stream: str, body: Mapping[str, Any]) -> None:
    """Upsert one outbox row of `account_id`; a position of 0 shares is removed.

    Raises:
        PoisonRow: unknown stream or column, a value that is not what the column holds, or an order that is not there.
    """
    target = STREAMS.get(stream)
    if target is None:
        raise PoisonRow(f"no stream {stream!r}")
    if body.get("client_order_id", "").startswith(FOREIGN) and _is_ours(store, account_id, stream, body):
        return
    values = _columns(store, account_id, stream, body)
    if stream == "positions" and values.get("qty") == 0:
        gone = _positions.account_id == account_id, _positions.symbol == values["symbol"]
        store.execute(delete(tables.positions).where(*gone))
        return
    statement = insert_of(store)(target.table).values(values)
    store.execute(statement.on_conflict_do_update(index_elements=list(target.unique), set_=_changed(target, values)))


def apply_all(store: Store, account_id: int, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Upsert many (stream, body) rows with one statement per stream; the same row twice: the later one counts.

    Orders go first, for other rows stand on them; rows that need a look of their own go one by one.

    Raises:
        PoisonRow: one of them can never be applied, and nobody says which; the caller rolls back and applies singly.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {"orders": []}
    single = []
    for stream, body in rows:
        if stream == "positions" or str(body.get("client_order_id", "")).startswith(FOREIGN):
            single.append((stream, body))
        else:
            groups.setdefault(stream, []).append(body)
    for stream, bodies in sorted(groups.items(), key=lambda group: _WRITTEN_BY_MANY.get(group[0], 0)):
        if bodies:
            _apply_group(store, account_id, stream, bodies)
    for stream, body in single:
        apply(store, account_id, stream, body)


def _apply_group(store: Store, account_id: int, stream: str, bodies: Sequence[Mapping[str, Any]]) -> None:
    target = STREAMS.get(stream)
    if target is None:
        raise PoisonRow(f"no stream {stream!r}")
    plan = _plan(stream)
    ids = _order_ids(store, account_id, bodies) if plan.stands_on_order else {}
    postgresql = on_postgresql(store)
    row_of = plan.told if postgresql else plan.row
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for body in bodies:
        given = dict(body)
        if plan.stands_on_order and "client_order_id" in given:
            given["order_id"] = ids[given.pop("client_order_id")]
        if plan.of_account:
            given["account_id"] = account_id
        row = row_of(given)
        found[plan.key(row)] = row
    if stream in _WRITTEN_BY_MANY:
        found = dict(sorted(found.items()))  # in one order: two bots that write the same rows never wait for each other
    rows = list(found.values())
    if postgresql:
        try:
            store.execute(_recordset_upsert(stream), {"rows": _json(rows)})
        except DataError as error:
            raise PoisonRow(str(error.orig)) from error
        return
    store.execute(_upsert(insert_of(store), stream), rows)


@cache
def _upsert(insert_row: Any, stream: str) -> Any:
    target = STREAMS[stream]
    changed = _changed(target, _plan(stream).columns)
    return insert_row(target.table).on_conflict_do_update(index_elements=list(target.unique), set_=changed)


def _changed(target: Stream, columns: Iterable[str]) -> dict[str, Any]:
    """What a row that is there already takes from the new one. `statement.excluded` would keep a copy of every column."""
    return {name: literal_column(f"excluded.{name}") for name in columns if name not in target.unique}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a body becomes a row of one stream."""

    table: str
    columns: dict[str, tuple[Any, Callable[[], Any] | None]]  # name → type, what stands for a value left out
    unique: tuple[str, ...]
    of_account: bool
    stands_on_order: bool
    left_out: dict[tuple[str, ...], tuple[tuple[str, Callable[[], Any]], ...]] = field(default_factory=dict)
    moments: tuple[str, ...] = ()

    def told(self, given: dict[str, Any]) -> dict[str, Any]:
        """The row as PostgreSQL reads it out of JSON, which then judges the values: `row` costs ten times as much.

        Only what the database would take silently is looked at here: an unknown column, a moment without its offset.
        """
        names = tuple(given)
        defaults = self.left_out.get(names)
        if defaults is None:
            whole = self.row(given)  # also refuses unknown and missing columns by name
            defaults = tuple((name, default) for name, (_, default) in self.columns.items()
                             if name in whole and name not in given and default is not None)  # fmt: skip
            self.left_out[names] = defaults
        for name, default in defaults:
            given[name] = default()
        for name in self.moments:
            value = given[name]
            if type(value) is str and value[-6:-5] not in _SIGNS and value[-1:] != "Z":
                raise PoisonRow(f"{name} holds {value!r}")
        return given

    def key(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """What makes it the same row again; told as text, one moment may be written in two ways."""
        return tuple([
            _typed(self.columns[name][0], name, row[name]) if name in self.moments else row[name] for name in self.unique
        ])  # fmt: skip

    def row(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if not given.keys() <= self.columns.keys():
            raise PoisonRow(f"{self.table} has no column {sorted(given.keys() - self.columns.keys())[0]!r}")
        row = {}
        for name, (kind, default) in self.columns.items():
            if name in given:
                row[name] = _typed(kind, name, given[name])
            elif default is None:
                raise PoisonRow(f"{self.table}.{name} is missing")
            else:
                row[name] = default()
        return row


@cache
def _plan(stream: str) -> _Plan:
    table = STREAMS[stream].table
    given = tables.DEFAULTS[table.name]
    columns: dict[str, tuple[Any, Callable[[], Any] | None]] = {}
    for column in table.columns:
        if column.name != "id":  # the database's own number
            columns[column.name] = (column.type, _maker(given[column.name]) if column.name in given else None)
    stands_on_order = "order_id" in table.columns and "client_order_id" not in table.columns
    moments = tuple(name for name, (kind, _) in columns.items() if isinstance(kind, Instant))
    unique = STREAMS[stream].unique
    return _Plan(table.name, columns, unique, "account_id" in table.columns, stands_on_order, moments=moments)


def _maker(default: Any) -> Callable[[], Any]:
    return default if callable(default) else lambda: default


@cache
def _recordset_upsert(stream: str) -> TextClause:
    """One statement for any number of rows: PostgreSQL reads them out of one JSON text, with no parse for each."""
    from sqlalchemy.dialects import postgresql

    target, plan, dialect = STREAMS[stream], _plan(stream), postgresql.dialect()  # type: ignore[no-untyped-call]
    names = ", ".join(plan.columns)
    typed = ", ".join(f"{name} {kind.compile(dialect)}" for name, (kind, _) in plan.columns.items())
    changed = ", ".join(f"{name} = excluded.{name}" for name in plan.columns if name not in target.unique)
    return text(
        f"INSERT INTO {plan.table} ({names}) SELECT {names} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told({typed}) "
        f"ON CONFLICT ({', '.join(target.unique)}) DO UPDATE SET {changed}"
    )


def _json(rows: list[dict[str, Any]]) -> str:
    try:
        return orjson.dumps(rows, default=_as_text).decode()
    except TypeError as error:
        raise PoisonRow(str(error)) from error


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"no column takes {type(value).__name__}")


def _order_ids(store: Store, account_id: int, bodies: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    wanted = sorted({body["client_order_id"] for body in bodies if "client_order_id" in body})
    query = select(_orders.client_order_id, _orders.id).where(
        _orders.account_id == account_id, _orders.client_order_id.in_(wanted)
    )
    found: dict[str, int] = dict(store.execute(query).all())
    for client in wanted:
        if client not in found:
            raise PoisonRow(f"order {client} is not in the store")
    return found


def _is_ours(store: Store, account_id: int, stream: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a row of another program's order is one of our own orders, which only the journal had forgotten.

    A fill of such an order follows it: its order is not in the store.
    """
    mine = _orders.account_id == account_id
    if stream != "orders":
        same = select(_orders.id).where(mine, _orders.client_order_id == body["client_order_id"])
        return store.execute(same).first() is None
    day = date.fromisoformat(body["trade_date"])
    near = [(day + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
    ours = select(_orders.id).where(
        mine,
        _orders.broker_order_id == body["broker_order_id"],
        _orders.symbol == body["symbol"],
        _orders.origin != "broker",
        _orders.trade_date.in_(near),
    )
    return store.execute(ours).first() is not None


_QUOTED = select(_quotes.symbol, _quotes.received_at).where(
    _quotes.environment == bindparam("environment"), _quotes.market == bindparam("market"),
    _quotes.symbol.in_(bindparam("symbols", expanding=True)),
)  # fmt: skip
_HOLD = _QUOTED.with_only_columns(_quotes.symbol).with_for_update(skip_locked=True)


def quoted_at(store: Store, environment: str, market: str, symbols: Collection[str]) -> dict[str, datetime]:
    """When the store's quote of each symbol was received; a symbol without one is left out."""
    told = {"environment": environment, "market": market, "symbols": sorted(symbols)}
    return dict(store.execute(_QUOTED, told).all())


def hold_quotes(store: Store, environment: str, market: str, symbols: Collection[str]) -> set[str]:
    """Lock these quotes until the transaction is over; one that another is writing is left out, never waited for."""
    if not symbols:
        return set()
    told = {"environment": environment, "market": market, "symbols": sorted(symbols)}
    return set(store.execute(_HOLD, told).scalars())


def replace_positions(store: Store, account_id: int, held: set[str]) -> None:
    """Remove the holdings of an account that a complete answer of its broker no longer lists."""
    query = delete(tables.positions).where(_positions.account_id == account_id)
    store.execute(query.where(_positions.symbol.not_in(sorted(held))) if held else query)


def _columns(store: Store, account_id: int, stream: str, body: Mapping[str, Any]) -> dict[str, Any]:
    plan, given = _plan(stream), dict(body)
    if plan.stands_on_order and "client_order_id" in given:
        given["order_id"] = _order_ids(store, account_id, [body])[given.pop("client_order_id")]
    if plan.of_account:
        given["account_id"] = account_id
    return plan.row(given)


def _typed(kind: Any, name: str, value: Any) -> Any:
    try:
        if value is None:
            return None
        if isinstance(kind, Instant):
            return value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if isinstance(kind, ExactDecimal):
            return Decimal(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise PoisonRow(f"{name} holds {value!r}") from error
    return value


def last_sequences(store: Store, account_id: int) -> dict[str, int]:
    """The highest sequence the store has of each numbered stream: a journal made anew goes on above it."""
    floors = {}
    for name in ("order_events", "logs", "decisions"):
        row = STREAMS[name].table.c
        highest = store.execute(select(func.max(row.seq)).where(row.account_id == account_id)).scalar_one()
        floors[name] = int(highest or 0)
    return floors
