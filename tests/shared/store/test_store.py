"""What the programs ask of the store means the same on SQLite, on PostgreSQL, and behind a transaction-mode pooler."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from shared import schema
from shared.db import open_engine, reading, writing
from shared.domain.bot_state import KillLevel
from shared.models import Alert, AuditLog, BrokerageAccount, FillRow, Lease, OrderEvent, OrderRow, Owner, PriceBar
from shared.store import alerts, audit, commands, heartbeats, kill, sync, transfer
from shared.store.commands import CommandKind

AT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)
THREADS = 4


@pytest.fixture
def account(store: Engine) -> int:
    with writing(store) as session:
        owner = Owner(name="o", created_at=AT)
        session.add(owner)
        session.flush()
        row = BrokerageAccount(
            owner_id=owner.id or 0, nickname="a", broker="KIS", market="US", environment="SIM", created_at=AT,
            max_order_amount=Decimal("12345678901234567.0123456789"),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id or 0


def order(client: str, **more: object) -> tuple[str, dict[str, object]]:
    body = {
        "client_order_id": client, "symbol": "AAPL", "side": "BUY", "qty": 10, "price": "211.5", "status": "ACCEPTED",
        "placed_at": AT.isoformat(), "updated_at": AT.isoformat(), "raw": {"signal": "한글 \" \\ '", "n": [1, None]},
    }  # fmt: skip
    return "orders", {**body, **more}


def event(client: str, seq: int) -> tuple[str, dict[str, object]]:
    return "order_events", {"client_order_id": client, "seq": seq, "at": AT.isoformat(), "event": "ACKED"}


def fill(client: str, number: str) -> tuple[str, dict[str, object]]:
    body = {
        "client_order_id": client, "execution_id": number, "symbol": "AAPL", "side": "BUY", "qty": 1,
        "price": "0.0000000001", "filled_at": AT.isoformat(), "recorded_at": AT.isoformat(),
    }  # fmt: skip
    return "fills", body


def together(*work: object) -> list[BaseException]:
    """Run all at once, each on a thread; return what they raised."""
    raised: list[BaseException] = []

    def run(one: object) -> None:
        try:
            one()  # type: ignore[operator]
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_digits_moments_and_words_come_back_as_they_went(store: Engine, account: int) -> None:
    with writing(store) as session:
        sync.apply_all(session, account, [order("c1"), fill("c1", "e1")])
    with reading(store) as session:
        assert session.get_one(BrokerageAccount, account).max_order_amount == Decimal("12345678901234567.0123456789")
        row, filled = session.exec(select(OrderRow)).one(), session.exec(select(FillRow)).one()
        assert (row.price, row.placed_at, row.avg_fill_price) == (Decimal("211.5"), AT, None)
        assert row.raw == {"signal": "한글 \" \\ '", "n": [1, None]}
        assert (filled.price, filled.order_id, filled.tax) == (Decimal("1E-10"), row.id, None)


def test_many_rows_at_once_and_again_are_what_they_are_one_by_one(store: Engine, account: int) -> None:
    rows = [event("c2", 2), order("c1", status="NEW"), order("c2"), event("c1", 1), fill("c2", "e1"), order("c1")]
    with writing(store) as session:
        sync.apply_all(session, account, rows)
        sync.apply_all(session, account, rows)
    with reading(store) as session:
        assert {row.client_order_id: row.status for row in session.exec(select(OrderRow))} == {
            "c1": "ACCEPTED", "c2": "ACCEPTED",
        }  # fmt: skip
        assert len(session.exec(select(OrderEvent)).all()) == 2
        before = [row.model_dump(exclude={"id"}) for row in session.exec(select(OrderRow).order_by("client_order_id"))]
    with writing(store) as session:
        for stream, body in (order("c1"), order("c2")):
            sync.apply(session, account, stream, body)
    with reading(store) as session:
        after = [row.model_dump(exclude={"id"}) for row in session.exec(select(OrderRow).order_by("client_order_id"))]
    assert before == after


@pytest.mark.parametrize(
    "bad",
    [
        ("nothing", {}),
        fill("nobody", "e"),
        order("c", colour="red"),
        order("c", price="much"),
        order("c", placed_at="yesterday"),
        ("orders", {"symbol": "A"}),
    ],
    ids=["stream", "order", "column", "number", "moment", "missing"],
)
def test_a_row_that_can_never_be_one_is_named_poison(
    store: Engine, account: int, bad: tuple[str, dict[str, object]]
) -> None:
    for way in (
        lambda session: sync.apply_all(session, account, [order("c1"), bad]),
        lambda session: sync.apply(session, account, *bad),
    ):
        with pytest.raises(sync.PoisonRow), writing(store) as session:
            way(session)
    with reading(store) as session:
        assert session.exec(select(OrderRow)).all() == []


def test_a_command_is_claimed_once_by_whoever_asks_at_the_same_time(store: Engine, account: int) -> None:
    def ask() -> None:
        with writing(store) as session:
            commands.request(
                session, AT, account_id=account, kind=CommandKind.CANCEL_ALL, key="one click", requested_by="user:1"
            )

    assert together(*[ask] * THREADS) == []
    claimed: list[int] = []

    def claim() -> None:
        with writing(store) as session:
            row = commands.claim_next(session, AT, account)
            if row is not None:
                claimed.append(row.id or 0)

    assert together(*[claim] * THREADS) == []
    assert len(claimed) == 1


def test_one_of_several_takes_the_lease_and_the_epoch_grows(store: Engine) -> None:
    won: list[str] = []

    def take(holder: str) -> None:
        with writing(store) as session:
            now = heartbeats.store_time(session, AT)
            if heartbeats.take_lease(session, now, name="account:1", holder=holder, ttl_s=30, force=False) is not None:
                won.append(holder)

    take("first:1")
    with writing(store) as session:
        session.get_one(Lease, "account:1").renewed_at -= timedelta(seconds=60)
    won.clear()
    assert together(*[lambda n=n: take(f"h{n}:1") for n in range(THREADS)]) == []  # type: ignore[misc]
    with reading(store) as session:
        row = session.get_one(Lease, "account:1")
        assert (won, row.epoch) == ([row.holder], 2)
    with writing(store) as session:
        now = heartbeats.store_time(session, AT)
        assert not heartbeats.renew_lease(session, now, name="account:1", holder="first:1", epoch=1)
        assert heartbeats.renew_lease(session, now, name="account:1", holder=won[0], epoch=2)


def test_the_audit_chain_holds_whoever_writes_at_once_and_takes_no_change(store: Engine) -> None:
    def note() -> None:
        for _ in range(3):
            with writing(store) as session:
                audit.record(session, AT, actor="user:1", action="x", source="cli", after={"한글": ["1.0", None]})

    assert together(*[note] * THREADS) == []
    with reading(store) as session:
        rows = session.exec(select(AuditLog).order_by("id")).all()
    previous = ""
    for row in rows:
        assert (row.previous_hash, row.row_hash) == (previous, audit.row_hash(row))
        previous = row.row_hash
    assert len(rows) == 3 * THREADS
    for spoil in ("UPDATE audit_logs SET reason = 'other'", "DELETE FROM audit_logs"):
        with pytest.raises(IntegrityError, match="only grows"), writing(store) as session:
            session.execute(text(spoil))


def test_an_alert_raised_again_counts_and_two_who_raise_the_kill_switch_end_at_the_higher_level(
    store: Engine, account: int
) -> None:
    with writing(store) as session:
        for _ in range(2):
            alerts.raise_alert(session, AT, kind="FILL", severity="info", dedup_key="k", params={"qty": "1.50"})
        kill.set_level(session, AT, account_id=account, level=KillLevel.RUN, reason="", by="test")
    with reading(store) as session:
        row = session.exec(select(Alert)).one()
        assert (row.count, row.params) == (2, {"qty": "1.50"})

    def lift(level: KillLevel) -> None:
        with writing(store) as session:
            kill.raise_level(session, AT, account_id=account, level=level, reason="", by="test")

    assert together(lambda: lift(KillLevel.HALT), lambda: lift(KillLevel.NO_NEW)) == []
    with reading(store) as session:
        assert kill.level_over(session, account) == KillLevel.HALT


def test_a_whole_store_moves_here_row_by_row_and_its_ids_go_on(store: Engine, tmp_path: Path) -> None:
    source = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    schema.upgrade(source)
    with writing(source) as session:
        _furnish(session)
    counts = transfer.move(source, store)
    assert (counts["price_bars"], counts["audit_logs"]) == (700, 2)
    assert transfer.differences(source, store) == []
    with writing(store) as session:
        session.add(Owner(name="next", created_at=AT))
        session.flush()
    assert len(transfer.differences(source, store)) == 1
    file = tmp_path / "kept.backup"
    transfer.dump(store, file)
    again = open_engine(f"sqlite:///{tmp_path / 'again.db'}")
    schema.upgrade(again)
    transfer.load(again, file)
    assert transfer.differences(store, again) == []


def _furnish(session: Session) -> None:
    session.add(Owner(id=7, name="가", created_at=AT))
    for n in range(700):
        session.add(
            PriceBar(
                environment="SIM", market="US", symbol="AAPL", timeframe="1m", start=AT + timedelta(minutes=n),
                open=Decimal("1.10"), high=Decimal(n), low=Decimal("0.0000000001"), close=Decimal("1E+3"), volume=n,
            )
        )  # fmt: skip
    for _ in range(2):
        audit.record(session, AT, actor="a", action="b", source="cli", after=json.loads('{"b": 1, "aa": [1.5, "x"]}'))
