"""State: the exchange's memory on disk. Every change is committed before its answer leaves; SIGKILL loses nothing.

One SQLite file, one process, one connection (WAL + FULL + exclusive: a second exchange on the same home is refused).
Keys, secrets and tokens are kept as fingerprints. Decimals and times are TEXT.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from brokers.paper.accounts import Account, AccountId, ExEnv
from brokers.paper.orders import Execution, ExKind, ExOrder, ExStatus, Reservation, ReservationStatus
from shared.domain.account import BrokerName, Market
from shared.domain.errors import ConfigError
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts(broker TEXT, env TEXT, number TEXT, key_id TEXT, secret_id TEXT,
  hts_id TEXT NOT NULL, PRIMARY KEY(broker, env, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_keys(broker TEXT, env TEXT, number TEXT, key_id TEXT,
  PRIMARY KEY(broker, env, number, key_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens(token_id TEXT PRIMARY KEY, broker TEXT NOT NULL, env TEXT NOT NULL,
  key_id TEXT NOT NULL, issued_at TEXT NOT NULL, expires_at TEXT NOT NULL, revoked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders(broker TEXT, env TEXT, order_no INTEGER, number TEXT NOT NULL,
  orig_order_no INTEGER, market TEXT NOT NULL, symbol TEXT NOT NULL, venue TEXT NOT NULL, side TEXT NOT NULL,
  quantity INTEGER NOT NULL, price TEXT, order_type TEXT NOT NULL, time_in_force TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, ordered_at TEXT NOT NULL, wall_at TEXT NOT NULL, visible_from TEXT NOT NULL,
  filled INTEGER NOT NULL, filled_amount TEXT NOT NULL, canceled INTEGER NOT NULL, moved INTEGER NOT NULL,
  session TEXT NOT NULL DEFAULT 'REGULAR',
  PRIMARY KEY(broker, env, order_no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executions(broker TEXT, env TEXT, order_no INTEGER, exec_no INTEGER,
  quantity INTEGER NOT NULL, price TEXT NOT NULL, at TEXT NOT NULL, fee TEXT NOT NULL DEFAULT '0',
  tax TEXT NOT NULL DEFAULT '0', PRIMARY KEY(broker, env, order_no, exec_no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservations(broker TEXT, env TEXT, no INTEGER, number TEXT NOT NULL, market TEXT NOT NULL,
  symbol TEXT NOT NULL, side TEXT NOT NULL, quantity INTEGER NOT NULL, price TEXT, order_type TEXT NOT NULL,
  venue TEXT NOT NULL, status TEXT NOT NULL, reserved_at TEXT NOT NULL, sends_at TEXT NOT NULL, order_no INTEGER,
  text TEXT NOT NULL, PRIMARY KEY(broker, env, no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(seq INTEGER PRIMARY KEY, at TEXT NOT NULL, market_at TEXT NOT NULL, broker TEXT,
  env TEXT, account TEXT, type TEXT NOT NULL, order_id TEXT, orig_order_id TEXT, symbol TEXT, side TEXT,
  quantity INTEGER, price TEXT, cum_quantity INTEGER, code TEXT);
CREATE TABLE IF NOT EXISTS postings(seq INTEGER NOT NULL REFERENCES ledger(seq), holder TEXT NOT NULL,
  unit TEXT NOT NULL, amount TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_account ON ledger(account, type, seq);
"""

# Columns that came later: a state file of before is brought up to date when it is opened.
LATER = (
    ("orders", "session", "TEXT NOT NULL DEFAULT 'REGULAR'"),
    ("executions", "fee", "TEXT NOT NULL DEFAULT '0'"),
    ("executions", "tax", "TEXT NOT NULL DEFAULT '0'"),
)


def _text(value: Decimal | datetime | None) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@dataclass(frozen=True, slots=True)
class TokenRow:
    token_id: str  # fingerprint of the token
    broker: BrokerName
    env: ExEnv
    key_id: str
    issued_at: datetime
    expires_at: datetime
    revoked: bool


class State:
    """Reads once at start, writes inside `transaction()`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "exchange.db"
        try:
            self.db = sqlite3.connect(self.path, isolation_level=None, timeout=0.2)
            self.path.chmod(0o600)
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self.db.execute(f"PRAGMA {pragma}")
            self.db.executescript("BEGIN EXCLUSIVE;" + SCHEMA + "COMMIT;")
            for table, column, kind in LATER:
                if column not in {row[1] for row in self.db.execute(f"PRAGMA table_info({table})")}:
                    self.db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        except sqlite3.OperationalError as e:
            raise ConfigError(
                "the exchange's state cannot be opened",
                f"{self.path}: {e}",
                "stop the other exchange that uses this LETSTRADE_HOME, or mend the folder's rights",
            ) from e
        except sqlite3.DatabaseError as e:
            raise ConfigError(
                "the exchange's state is damaged",
                f"{self.path}: {e}",
                "move the file away and start again: the exchange begins empty",
            ) from e
        self._depth = 0
        self.failed = False
        self._soon: Callable[[Callable[[], None]], object] | None = None
        self._flushing = False  # a flush is on its way
        self._waiting: list[asyncio.Future[None]] = []
        self._after: list[Callable[[], None]] = []

    def close(self) -> None:
        if self.db.in_transaction and not self.failed:
            self.flush()
        self.db.close()

    def group(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """From now on let transactions of one turn of the loop share a commit; `soon` runs a function after that turn.

        One write to the disk then serves many clients. Whoever answers waits for `committed`.
        """
        self._soon = soon

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside at once, or nothing; may be nested. In a group the commit follows at `flush`.

        After a failure memory may be ahead of the disk: `failed` is set and the process must end and load again.
        """
        if self._depth:
            yield
            return
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            self._fail()
            raise
        finally:
            self._depth = 0
        if self._soon is None:
            self.flush()
        elif not self._flushing:
            self._flushing = True
            self._soon(self.flush)

    def flush(self) -> None:
        """Commit what is open, let those who wait for it go on, then do what was to follow."""
        self._flushing = False
        if self.db.in_transaction and not self.failed:
            try:
                self.db.execute("COMMIT")
            except sqlite3.Error:
                self._fail()
                raise
        self._wake()
        after, self._after = self._after, []
        for do in after:
            do()

    async def committed(self) -> None:
        """Wait until everything so far is on the disk."""
        if self.db.in_transaction and not self.failed:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        if self.failed:
            raise ConnectionAbortedError("the change could not be written: this process ends without an answer")

    def after_commit(self, do: Callable[[], None]) -> None:
        """Do something once all so far is committed: at once when it is."""
        if self.db.in_transaction:
            self._after.append(do)
        else:
            do()

    def _fail(self) -> None:
        self.failed = True
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def transaction_if(self, wanted: bool) -> AbstractContextManager[None]:
        """A transaction when something may be written, else nothing at all."""
        return self.transaction() if wanted else nullcontext()

    # -- meta

    def get(self, name: str) -> str | None:
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # -- accounts and tokens

    def save_account(self, a: Account) -> None:
        row = (a.broker, a.env, a.number, a.key_id, a.secret_id, a.hts_id)
        self.db.execute("INSERT OR REPLACE INTO accounts VALUES (?,?,?,?,?,?)", row)

    def load_accounts(self) -> list[Account]:
        rows = self.db.execute("SELECT broker, env, number, key_id, secret_id, hts_id FROM accounts")
        return [Account(BrokerName(b), ExEnv(e), n, key, secret, hts) for b, e, n, key, secret, hts in rows]

    def save_account_key(self, a: AccountId, key_id: str) -> None:
        self.db.execute("INSERT OR IGNORE INTO account_keys VALUES (?,?,?,?)", (a.broker, a.env, a.number, key_id))

    def load_account_keys(self) -> list[tuple[AccountId, str]]:
        rows = self.db.execute("SELECT broker, env, number, key_id FROM account_keys")
        return [(AccountId(BrokerName(b), ExEnv(e), n), key) for b, e, n, key in rows]

    def save_token(self, t: TokenRow) -> None:
        row = (t.token_id, t.broker, t.env, t.key_id, _text(t.issued_at), _text(t.expires_at), int(t.revoked))
        self.db.execute("INSERT OR REPLACE INTO tokens VALUES (?,?,?,?,?,?,?)", row)

    def load_tokens(self, after: datetime) -> list[TokenRow]:
        """Tokens that expire after an instant; older ones are forgotten for good."""
        self.db.execute("DELETE FROM tokens WHERE expires_at < ?", (_text(after),))
        rows = self.db.execute("SELECT token_id, broker, env, key_id, issued_at, expires_at, revoked FROM tokens")
        return [
            TokenRow(t, BrokerName(b), ExEnv(e), k, datetime.fromisoformat(i), datetime.fromisoformat(x), bool(r))
            for t, b, e, k, i, x, r in rows
        ]

    # -- orders

    def save_order(self, o: ExOrder) -> None:
        a = o.account
        row = (a.broker, a.env, o.order_no, a.number, o.orig_order_no, o.market, o.symbol, o.venue, o.side)
        row2 = (o.quantity, _text(o.price), o.order_type, o.time_in_force, o.kind, o.status, _text(o.ordered_at))
        row3 = (_text(o.wall_at), _text(o.visible_from), o.filled, str(o.filled_amount), o.canceled, o.moved, o.session)
        marks = ",".join("?" * 23)
        self.db.execute(f"INSERT OR REPLACE INTO orders VALUES ({marks})", row + row2 + row3)

    def load_orders(self) -> list[ExOrder]:
        """Every order ever, in the order of its number."""
        rows = self.db.execute(
            "SELECT broker, env, number, order_no, orig_order_no, market, symbol, venue, side, quantity, price,"
            " order_type, time_in_force, kind, status, ordered_at, wall_at, visible_from, filled, filled_amount,"
            " canceled, moved, session FROM orders ORDER BY order_no"
        )
        return [_order(row) for row in rows]

    def save_execution(self, a: AccountId, e: Execution) -> None:
        row = (a.broker, a.env, e.order_no, e.exec_no, e.quantity, str(e.price), _text(e.at), str(e.fee), str(e.tax))
        self.db.execute("INSERT INTO executions VALUES (?,?,?,?,?,?,?,?,?)", row)

    def load_executions(self) -> list[tuple[BrokerName, ExEnv, Execution]]:
        rows = self.db.execute(
            "SELECT broker, env, exec_no, order_no, quantity, price, at, fee, tax FROM executions"
            " ORDER BY order_no, exec_no"
        )
        return [
            (
                BrokerName(b),
                ExEnv(e),
                Execution(n, order, quantity, Decimal(price), datetime.fromisoformat(at), Decimal(fee), Decimal(tax)),
            )
            for b, e, n, order, quantity, price, at, fee, tax in rows
        ]

    # -- reserved orders

    def save_reservation(self, r: Reservation) -> None:
        a = r.account
        row = (a.broker, a.env, r.no, a.number, r.market, r.symbol, r.side, r.quantity, _text(r.price), r.order_type)
        row2 = (r.venue, r.status, _text(r.reserved_at), _text(r.sends_at), r.order_no, r.text)
        self.db.execute(f"INSERT OR REPLACE INTO reservations VALUES ({','.join('?' * 16)})", row + row2)

    def load_reservations(self) -> list[Reservation]:
        rows = self.db.execute(
            "SELECT broker, env, number, no, market, symbol, side, quantity, price, order_type, venue, status,"
            " reserved_at, sends_at, order_no, text FROM reservations ORDER BY no"
        )
        return [
            Reservation(
                no, AccountId(BrokerName(b), ExEnv(e), number), Market(market), symbol, Side(side), quantity,
                _decimal(price), OrderType(kind), Venue(venue), ReservationStatus(status),
                datetime.fromisoformat(reserved), datetime.fromisoformat(sends), order_no, text,
            )
            for b, e, number, no, market, symbol, side, quantity, price, kind, venue, status, reserved, sends, order_no,
            text in rows
        ]  # fmt: skip


_OrderRow = tuple[
    str, str, str, int, int | None, str, str, str, str, int, str | None,
    str, str, str, str, str, str, str, int, str, int, int, str,
]  # fmt: skip


def _order(row: _OrderRow) -> ExOrder:
    broker, env, number, order_no, orig, market, symbol, venue, side, quantity, price = row[:11]
    order_type, tif, kind, status, ordered_at, wall_at, visible_from, filled, amount, canceled, moved, session = row[
        11:
    ]
    return ExOrder(
        order_no=order_no,
        orig_order_no=orig,
        account=AccountId(BrokerName(broker), ExEnv(env), number),
        market=Market(market),
        symbol=symbol,
        venue=Venue(venue),
        side=Side(side),
        quantity=quantity,
        price=_decimal(price),
        order_type=OrderType(order_type),
        time_in_force=TimeInForce(tif),
        kind=ExKind(kind),
        status=ExStatus(status),
        ordered_at=datetime.fromisoformat(ordered_at),
        wall_at=datetime.fromisoformat(wall_at),
        visible_from=datetime.fromisoformat(visible_from),
        filled=filled,
        filled_amount=Decimal(amount),
        canceled=canceled,
        moved=moved,
        session=OrderSession(session),
    )
