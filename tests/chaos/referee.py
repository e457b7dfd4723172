"""The referee: a process of its own that compares what the exchange saw with what the bots wrote.

    python -m tests.chaos.referee < case.json      # the verdict as JSON; exit 1 when anything is wrong

It trusts the exchange's ledger, and reads journals (the bots are stopped), the store, logs and alerts. Invariants by the
numbers of reliability.md §4; those that no ledger can tell are named in tests/chaos/faults.py with where they are tested.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlmodel import select

from shared.db import open_engine, reading
from shared.domain.order_state import TERMINAL, OrderStatus
from shared.models import Alert, ExecutionLog, FillRow, OrderEvent, OrderRow, PositionRow

Row = dict[str, Any]
CHECKED = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I10", "I12", "I14", "I15", "I18", "I20")
FLAGGED = (OrderStatus.UNKNOWN, OrderStatus.NEEDS_OPERATOR)


@dataclass(frozen=True, slots=True)
class Party:
    """One account: ours, and its number at the exchange."""

    account_id: int
    number: str
    journal: str
    max_symbol_amount: str = "0"  # 0: not judged
    manual: tuple[str, ...] = ()  # broker orders that a person placed past the desk


@dataclass(frozen=True, slots=True)
class Case:
    """Where everything lies."""

    exchange: str
    store: str
    parties: tuple[Party, ...]
    logs: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Case:
        body = json.loads(text)
        parties = tuple(Party(**{**one, "manual": tuple(one["manual"])}) for one in body.pop("parties"))
        return cls(parties=parties, **{k: tuple(v) if isinstance(v, list) else v for k, v in body.items()})

    def write(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Verdict:
    """How many things of each invariant were looked at, and what was wrong."""

    looked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def check(self, invariant: str, right: bool, text: str) -> None:
        self.looked[invariant] += 1
        if not right:
            self.wrong.append(f"{invariant} {text}")


class Books:
    """Everything that is known of one account, by source."""

    def __init__(self, case: Case, party: Party, engine: Engine, ledger: list[Row]) -> None:
        self.party, self.ledger = party, ledger
        with reading(engine) as session:
            of = party.account_id
            self.orders = list(session.exec(select(OrderRow).where(OrderRow.account_id == of)))
            self.fills = list(session.exec(select(FillRow).where(FillRow.account_id == of)))
            self.events = list(session.exec(select(OrderEvent).where(OrderEvent.account_id == of)))
            self.alerts = list(session.exec(select(Alert).where(Alert.account_id == of)))
            self.states = list(session.exec(select(ExecutionLog).where(ExecutionLog.account_id == of)))
            self.positions = list(session.exec(select(PositionRow).where(PositionRow.account_id == of)))
        with _copied(Path(party.journal)) as journal:
            self.numbers = journal.rows("SELECT broker_order_id, client_order_id FROM numbers")
            self.journal = journal.rows("SELECT * FROM events ORDER BY seq")
            self.intents = journal.rows("SELECT * FROM orders")
            self.journal_fills = journal.rows("SELECT * FROM fills")
            self.left = journal.rows("SELECT stream FROM outbox")
            self.poison = journal.rows("SELECT why FROM poison")
            self.streams = {one["stream"]: one["last_seq"] for one in journal.rows("SELECT * FROM streams")}

    def of(self, kind: str) -> list[Row]:
        return [one for one in self.ledger if one["type"] == kind and one["order_id"] not in self.party.manual]

    @property
    def owner(self) -> dict[int, str]:
        """Broker number → our intent."""
        return {int(one["broker_order_id"]): one["client_order_id"] for one in self.numbers}


class _Journal:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[Row]:
        return [dict(row) for row in self._connection.execute(sql)]


class _copied:
    """A journal read from a copy, write-ahead log included: the original is not touched."""

    def __init__(self, path: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        for one in path.parent.glob(path.name + "*"):
            shutil.copy(one, self._folder.name)
        self._connection = sqlite3.connect(Path(self._folder.name) / path.name)
        self._connection.row_factory = sqlite3.Row

    def __enter__(self) -> _Journal:
        return _Journal(self._connection)

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._folder.cleanup()


def judge(case: Case) -> Verdict:
    """Compare everything of every party; the bots must be stopped."""
    verdict = Verdict()
    engine = open_engine(case.store)
    everything: dict[str, Books] = {}
    with httpx.Client(base_url=case.exchange, trust_env=False, timeout=10) as exchange:
        for party in case.parties:
            ledger = exchange.get("/ledger", params={"after": 0, "account": party.number}).json()["events"]
            books = everything[party.number] = Books(case, party, engine, ledger)
            _orders(verdict, books)
            _fills(verdict, books)
            _holdings(verdict, books, exchange.get(f"/accounts/{party.number}"))
            _order_of_things(verdict, books)
            _store(verdict, books)
            _exposure(verdict, books)
    _apart(verdict, everything)
    _secrets(verdict, case)
    engine.dispose()
    return verdict


def _orders(verdict: Verdict, books: Books) -> None:
    """I1 one intent is at most one order, none is lost · I5 every intent ends or is flagged."""
    owned: dict[str, list[int]] = defaultdict(list)
    unresolved = [one for one in books.intents if one["status"] in FLAGGED]
    for event in books.of("ORDER"):
        number = int(event["order_id"])
        intent = books.owner.get(number)
        could_be = [one for one in unresolved if (one["symbol"], one["side"]) == (event["symbol"], event["side"])]
        verdict.check("I1", intent is not None or bool(could_be), f"order {number} of the exchange is nobody's")
        if intent is not None:
            owned[intent].append(number)
    for intent, numbers in owned.items():
        verdict.check("I1", len(numbers) == 1, f"{intent} is {len(numbers)} orders: {numbers}")
    told = {one.dedup_key.partition(":")[2] for one in books.alerts}
    for one in books.intents:
        intent, status = one["client_order_id"], OrderStatus(one["status"])
        settled = status in TERMINAL or status in (OrderStatus.ACCEPTED, OrderStatus.PARTIAL)
        flagged = status in FLAGGED and {f"order_unknown:{intent}", f"needs_operator:{intent}"} & told
        verdict.check("I5", settled or bool(flagged), f"{intent} is {status} and nobody was told")
        absent = status in (OrderStatus.NOT_ACCEPTED, OrderStatus.REJECTED, OrderStatus.DENIED)
        verdict.check("I5", not (absent and intent in owned), f"{intent} is {status} and lives: {owned.get(intent)}")


def _fills(verdict: Verdict, books: Books) -> None:
    """I2 the shares agree three times · I6 none is invented, none too many · I20 and their money, to the last digit."""
    theirs: Counter[str] = Counter()
    money: dict[str, Decimal] = defaultdict(Decimal)
    for event in books.of("FILL"):
        intent = books.owner.get(int(event["order_id"]), f"nobody's {event['order_id']}")
        theirs[intent] += int(event["quantity"])
        money[intent] += int(event["quantity"]) * Decimal(str(event["price"]))
    ours, kept, paid = Counter[str](), Counter[str](), defaultdict[str, Decimal](Decimal)
    for one in books.journal_fills:
        ours[one["client_order_id"]] += one["quantity"]
        paid[one["client_order_id"]] += one["quantity"] * Decimal(one["price"])
    names = {row.id: row.client_order_id for row in books.orders}
    for fill in books.fills:
        kept[names[fill.order_id]] += fill.qty
    for intent in {*theirs, *ours, *kept}:
        shares = (theirs[intent], ours[intent], kept[intent])
        verdict.check("I2", len(set(shares)) == 1, f"{intent}: exchange, journal and store say {shares} shares")
        close = abs(money[intent] - paid[intent]) <= Decimal("0.01") * max(shares)  # brokers round averages
        verdict.check("I20", close, f"{intent}: {money[intent]} paid, {paid[intent]} recorded")
    for one in books.intents:
        enough = one["filled_quantity"] <= one["quantity"]
        verdict.check("I6", enough, f"{one['client_order_id']}: {one['filled_quantity']} of {one['quantity']} shares")


def _holdings(verdict: Verdict, books: Books, answer: httpx.Response) -> None:
    """I3 what the exchange holds is what the store shows, or the symbol is flagged."""
    held = {one["symbol"]: one["quantity"] for one in answer.json().get("holdings", [])} if answer.is_success else {}
    shown = {one.symbol: one.qty for one in books.positions}
    flagged = {str(one.params.get("symbol")) for one in books.alerts if one.kind in ("DRIFT", "ORDER_CONTRADICTION")}
    for symbol in {*held, *shown}:
        same = held.get(symbol, 0) == shown.get(symbol, 0)
        verdict.check("I3", same or symbol in flagged, f"{symbol}: held {held.get(symbol)}, shown {shown.get(symbol)}")


def _order_of_things(verdict: Verdict, books: Books) -> None:
    """I7 journal before wire · I10 no entry before READY."""
    sent = {one["client_order_id"]: one["wall_at"] for one in reversed(books.journal) if one["kind"] == "SENDING"}
    for event in books.of("ORDER"):
        intent = books.owner.get(int(event["order_id"]))
        if intent is not None:
            first = sent.get(intent)
            earlier = first is not None and datetime.fromisoformat(first) <= datetime.fromisoformat(event["at"])
            verdict.check("I7", earlier, f"{intent} reached the exchange at {event['at']}, SENDING at {first}")
    moves = sorted((row.created_at, row.message) for row in books.states if row.message.startswith("상태 "))
    entries = {one["client_order_id"] for one in books.intents if one["side"] == "BUY" and not one["reduces"]}
    for one in books.journal:
        if one["kind"] == "INTENT" and one["client_order_id"] in entries:
            at = datetime.fromisoformat(one["wall_at"])
            last = [message for when, message in moves if when <= at][-1:]
            ready = bool(last) and "→ READY" in last[0]
            verdict.check("I10", ready, f"{one['client_order_id']} was decided when {last}")


def _store(verdict: Verdict, books: Books) -> None:
    """I12 the store has every row of history once, in order · I18 one alert a matter."""
    numbers = sorted(one.seq for one in books.events)
    last = books.streams.get("order_events", 0)
    whole = numbers == list(range(1, last + 1))
    verdict.check("I12", whole, f"the store has {len(numbers)} of {last} rows of history; {len(books.left)} wait")
    verdict.check("I12", not books.poison, f"set aside: {books.poison}")
    by_order: dict[int, list[str]] = defaultdict(list)
    for one in sorted(books.events, key=lambda row: row.seq):
        by_order[one.order_id].append(one.event)
    for row in books.orders:
        wrote = [one["kind"] for one in books.journal if one["client_order_id"] == row.client_order_id]
        verdict.check("I12", by_order[row.id or 0] == wrote, f"{row.client_order_id}: the store tells another history")
    open_keys = Counter(one.dedup_key for one in books.alerts if one.acknowledged_at is None)
    for key, count in open_keys.items():
        verdict.check("I18", count == 1, f"{count} open alerts of {key}")


def _exposure(verdict: Verdict, books: Books) -> None:
    """I4 holdings plus everything open, as if filled, never passed the symbol's limit."""
    limit = Decimal(books.party.max_symbol_amount)
    if not limit:
        return
    held: Counter[str] = Counter()
    resting: dict[str, tuple[str, int, Decimal]] = {}
    price: dict[str, Decimal] = {}
    for event in books.ledger:
        kind, number, symbol = event["type"], event["order_id"], event["symbol"]
        if event.get("price") is not None:
            price[symbol] = Decimal(str(event["price"]))
        if kind in ("ORDER", "AMEND"):
            resting.pop(event.get("orig_order_id") or "", None)
            if event["side"] == "BUY":
                resting[number] = (symbol, int(event["quantity"]), price.get(symbol, Decimal(0)))
        elif kind == "FILL":
            held[symbol] += int(event["quantity"]) * (1 if event["side"] == "BUY" else -1)
            if number in resting:
                name, left, at = resting[number]
                resting[number] = (name, left - int(event["quantity"]), at)
        elif kind in ("CANCEL", "EXPIRE"):
            resting.pop(event.get("orig_order_id") or number, None)
        else:
            continue
        open_amount = sum((left * at for name, left, at in resting.values() if name == symbol), Decimal(0))
        worst = held[symbol] * price.get(symbol, Decimal(0)) + open_amount
        verdict.check("I4", worst <= limit, f"{symbol}: {worst} of {limit} at {event['at']}")


def _apart(verdict: Verdict, everything: dict[str, Books]) -> None:
    """I14 no account's order stands in another account's books."""
    for number, books in everything.items():
        ids = {one["client_order_id"] for one in books.intents}
        for other, theirs in everything.items():
            if other != number:
                shared = ids & {one["client_order_id"] for one in theirs.intents}
                verdict.check("I14", not shared, f"{number} and {other} share {shared}")


def _secrets(verdict: Verdict, case: Case) -> None:
    """I15 no secret in a log or a journal."""
    files = [Path(one) for one in case.logs]
    for party in case.parties:
        files += Path(party.journal).parent.glob("*")
    for file in files:
        text = file.read_bytes() if file.is_file() else b""
        for canary in case.canaries:
            verdict.check("I15", canary.encode() not in text, f"{canary[:4]}… stands in {file.name}")


def main() -> int:
    verdict = judge(Case.read(sys.stdin.read()))
    json.dump({"looked": verdict.looked, "wrong": verdict.wrong}, sys.stdout)
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
