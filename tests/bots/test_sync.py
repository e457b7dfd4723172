"""Journal → store: exactly once, in order, around poison rows, and late rather than never."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bots import outgoing
from bots.heartbeat import Vitals
from bots.journal import Changes, Outgoing
from bots.lease import HeldElsewhere, StoreLease
from bots.sync import StoreAway, StoreLink, StoreSync
from shared import tables
from shared.db import open_engine, reading, writing
from shared.domain.bot_state import KillLevel
from shared.models import (
    Alert,
    BrokerageAccount,
    ExecutionLog,
    FillRow,
    Heartbeat,
    OrderEvent,
    OrderRow,
    PositionRow,
    QuoteRow,
)
from shared.store import accounts, kill
from shared.tables import fresh
from tests.bots.conftest import TODAY, Room
from tests.fakes import KEY, FakeClock


@pytest.fixture
def account(store: Engine, room: Room) -> int:
    with writing(store) as session:
        owner = accounts.first_owner(session, room.clock.now)
        row = BrokerageAccount(
            id=KEY.account_id, owner_id=owner.id or 0, nickname="one", broker="KIS", market="US", environment="SIM",
            created_at=room.clock.now,
        )  # fmt: skip
        session.add(row)
    return KEY.account_id


def sync_of(room: Room, store: Engine) -> StoreSync:
    lease = StoreLease(KEY.account_id, "pinned", room.clock)
    with writing(store) as session:
        lease.take(session)
    return StoreSync(StoreLink(store), room.journal, lease, Vitals(KEY.account_id, room.clock.now), KEY, room.clock)


def count(store: Engine, model: type) -> int:
    with reading(store) as session:
        return len(session.exec(select(model)).all())


async def trade(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10, rule_id=None), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "99.50")
    await room.look()


async def test_a_trade_arrives_whole_and_again_changes_nothing(room: Room, store: Engine, account: int) -> None:
    sync = sync_of(room, store)
    await trade(room)
    queued = await room.journal.queued(100)
    await sync.once()
    with reading(store) as session:
        order = session.exec(select(OrderRow)).one()
        fill = session.exec(select(FillRow)).one()
        assert (order.status, order.filled_qty, order.avg_fill_price) == ("FILLED", 10, Decimal("99.5"))
        assert (fill.qty, fill.price, fill.order_id) == (10, Decimal("99.5"), order.id)
        kinds = [event.event for event in session.exec(select(OrderEvent).order_by(OrderEvent.seq))]  # type: ignore[arg-type]
        assert kinds == ["DECISION", "INTENT", "SENDING", "ACKED", "FILL", "TERMINAL"]
        assert [alert.kind for alert in session.exec(select(Alert))] == ["FILL"]
    assert await room.journal.outbox_depth() == 0
    # The process died between the store's commit and the journal's: everything is sent again.
    with writing(store) as session:
        assert sync._deliver_all(session, [row for row in queued if row.stream != outgoing.ALERTS]) == []
    assert (count(store, OrderRow), count(store, FillRow), count(store, OrderEvent)) == (1, 1, 6)


async def test_a_poison_row_is_set_aside_and_the_queue_moves_on(room: Room, store: Engine, account: int) -> None:
    sync = sync_of(room, store)
    now = room.clock.wall_now()
    poison = Outgoing("fills", "x", '{"client_order_id": "nobody", "execution_id": "1"}')
    await room.journal.write(
        Changes(
            outbox=(
                outgoing.log("INFO", "a", now),
                poison,
                Outgoing("nonsense", "", "{}"),
                outgoing.log("INFO", "b", now),
            )
        )
    )
    polled = await sync.once()
    assert len(polled.poison) == 2 and await room.journal.outbox_depth() == 0
    with reading(store) as session:
        assert [row.message for row in session.exec(select(ExecutionLog))] == ["a", "b"]


async def test_while_the_store_is_away_everything_is_kept_and_replayed_in_order(
    room: Room, store: Engine, account: int
) -> None:
    sync = sync_of(room, store)
    link = sync._link
    original = link._writing

    def away(work: object) -> object:
        raise OperationalError("connect", {}, Exception("server closed the connection"))

    link._writing = away  # type: ignore[method-assign,assignment]
    await trade(room)
    sync.snapshots.put("positions", "AAPL", position(10))
    with pytest.raises(StoreAway):
        await sync.once()
    room.clock.pass_s(400)
    assert sync.away_s() > 300
    sync.snapshots.put("positions", "AAPL", position(7))  # newer than what could not be written
    link._writing = original  # type: ignore[method-assign]
    await sync.once()
    assert sync.away_s() == 0
    assert (count(store, OrderRow), count(store, FillRow)) == (1, 1)
    with reading(store) as session:
        assert session.exec(select(PositionRow)).one().qty == 7


def position(qty: int) -> dict[str, object]:
    return {"symbol": "AAPL", "qty": qty, "avg_price": "100", "updated_at": "2026-11-20T15:00:00+00:00"}


async def test_a_holding_that_is_gone_leaves_the_screen(room: Room, store: Engine, account: int) -> None:
    sync = sync_of(room, store)
    sync.snapshots.put("positions", "AAPL", position(10))
    await sync.once()
    sync.snapshots.held = set()
    await sync.once()
    assert count(store, PositionRow) == 0


async def test_a_heartbeat_comes_every_two_seconds_and_renews_the_lease(
    room: Room, store: Engine, account: int
) -> None:
    sync = sync_of(room, store)
    beats = []
    for _ in range(5):
        await sync.once()
        with reading(store) as session:
            beats.append(session.get_one(Heartbeat, account).at)
        room.clock.pass_s(1)
    assert len(set(beats)) == 3
    assert sync._lease.fenced() is None


async def test_a_lease_that_another_process_took_fences_this_one(room: Room, store: Engine, account: int) -> None:
    sync = sync_of(room, store)
    other = StoreLease(KEY.account_id, "pinned", room.clock)
    other.holder = other.holder.rsplit(":", 1)[0] + ":0"
    with writing(store) as session:
        other.take(session)
    assert other.epoch == 2
    await trade(room)
    with pytest.raises(HeldElsewhere):
        await sync.once()
    assert sync._lease.fenced() is not None
    assert count(store, OrderRow) == 0  # nothing of ours over the rows of the new holder


def test_an_automatic_lease_stops_sending_before_it_may_have_lapsed(store: Engine) -> None:
    clock = FakeClock()
    lease = StoreLease(9, "auto", clock)
    with writing(store) as session:
        lease.take(session)
    assert lease.fenced() is not None  # not committed yet
    lease.confirm()
    assert lease.fenced() is None
    clock.pass_s(20)  # the store did not answer: 10 s left, an order may take longer
    assert lease.fenced() is not None
    pinned = StoreLease(10, "pinned", clock)
    with writing(store) as session:
        pinned.take(session)
    clock.pass_s(timedelta(hours=5).total_seconds())
    assert pinned.fenced() is None  # a store outage never stops exits


async def test_an_interrupted_sync_leaves_nothing_half_written(room: Room, store: Engine, account: int) -> None:
    sync = sync_of(room, store)
    await trade(room)

    def fails_late(connection: Connection) -> None:
        row = fresh(
            tables.execution_logs, account_id=account, seq=1, level="INFO", message="x", created_at=room.clock.now
        )
        connection.execute(insert(tables.execution_logs).values(row))
        raise OperationalError("commit", {}, Exception("disk full"))

    with pytest.raises(StoreAway):
        await sync._link.write(fails_late)
    assert count(store, ExecutionLog) == 0


@pytest.mark.postgres
async def test_a_bot_never_waits_for_another_that_writes_the_same_quote(room: Room, postgresql_store_url: str) -> None:
    """Every bot of a market watches the same symbols: whoever waited for the row would be late with its heartbeat."""
    store = open_engine(postgresql_store_url)
    with writing(store) as session:
        owner = accounts.first_owner(session, room.clock.now)
        session.add(
            BrokerageAccount(
                id=KEY.account_id, owner_id=owner.id or 0, nickname="one", broker="KIS", market="US", environment="SIM",
                created_at=room.clock.now,
            )
        )  # fmt: skip
    sync = sync_of(room, store)

    def quote(last: str) -> None:
        now = room.clock.wall_now().isoformat()
        sync.snapshots.put("quotes", "AAPL", {"symbol": "AAPL", "last": last, "at": now, "received_at": now})

    def price() -> Decimal:
        with reading(store) as session:
            return session.exec(select(QuoteRow)).one().last

    quote("1")
    await sync.once()
    room.clock.pass_s(0.2)
    quote("2")
    await sync.once()
    assert price() == 1  # one a second
    room.clock.pass_s(2)
    with writing(store) as session:
        session.exec(select(QuoteRow).with_for_update()).one()
        async with asyncio.timeout(120):
            await sync.once()
    assert price() == 1
    await sync.once()
    assert price() == 2  # late rather than never
    quote("3")
    room.clock.pass_s(2)
    with writing(store) as session:
        row = session.exec(select(QuoteRow)).one()
        row.last, row.received_at = Decimal(4), room.clock.wall_now()
        session.add(row)
    room.clock.pass_s(2)
    await sync.once()
    assert price() == 4  # another bot knew better
    store.dispose()


async def test_a_raised_kill_switch_is_heard_between_two_syncs_and_before_a_sync_has_ended(
    room: Room, store: Engine, account: int
) -> None:
    sync, heard = sync_of(room, store), list[KillLevel]()
    sync.heard_kill = heard.append
    with writing(store) as session:
        kill.set_level(session, room.clock.now, account_id=None, level=KillLevel.HALT, reason="test", by="test")
    await sync.wait()  # nobody woke it
    assert heard == [KillLevel.HALT]
    heard.clear()
    sync._put = lambda *_: heard.append(KillLevel.RUN)  # type: ignore[method-assign,assignment,func-returns-value]
    await trade(room)
    polled = await sync.once()
    assert polled.wishes.kill_level is KillLevel.HALT
    assert KillLevel.HALT in heard
