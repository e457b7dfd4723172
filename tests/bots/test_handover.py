"""Another host goes on from the store: every order once, the rule's shares its own, the day's loss counted on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bots import handover
from bots.daybook import DayBook
from bots.heartbeat import Vitals
from bots.journal import Changes
from bots.lease import HeldElsewhere, StoreLease
from bots.reconcile import PROOF_LOOKS, PROOF_S
from bots.sync import StoreLink, StoreSync
from shared.db import reading, writing
from shared.domain.order import Side
from shared.domain.order_state import OrderStatus
from shared.models import BrokerageAccount
from shared.store import accounts, heartbeats
from tests.bots.conftest import TODAY, Room, open_room
from tests.fakes import KEY, FakeClock


@pytest.fixture
def account(store: Engine, room: Room) -> int:
    with writing(store) as session:
        owner = accounts.first_owner(session, room.clock.now)
        session.add(
            BrokerageAccount(
                id=KEY.account_id, owner_id=owner.id or 0, nickname="one", broker="KIS", market="US", environment="SIM",
                failover="auto", created_at=room.clock.now,
            )
        )  # fmt: skip
    return KEY.account_id


async def moved(room: Room, store: Engine, folder: Path) -> Room:
    """The account on another host: an empty folder, the same store, the same broker."""
    with reading(store) as session:
        past = handover.read(session, KEY.account_id, TODAY - timedelta(days=7))
    other = await open_room(folder, room.clock, room.broker)
    await handover.write(other.journal, past, TODAY)
    await other.journal.close()
    return await open_room(folder, room.clock, room.broker)


async def test_an_account_goes_on_where_it_was(room: Room, store: Engine, account: int, tmp_path: Path) -> None:
    vitals = Vitals(account, room.clock.now)
    lease = StoreLease(account, "auto", room.clock, "a/1")
    with writing(store) as session:
        lease.take(session)
    sync = StoreSync(StoreLink(store), room.journal, lease, vitals, KEY, room.clock)
    book = DayBook(room.orders, ())
    marks = book.first_marks(TODAY, (), lambda symbol: None)
    book.keep(marks)
    await room.journal.write(Changes(marks=marks))
    bought = await room.desk.place(room.request(quantity=10, signal_key="s1"), TODAY)
    room.broker.fill(bought.broker_order_id or "", 10, "99.50")
    await room.look()
    resting = await room.desk.place(room.request(quantity=4, signal_key="s2", symbol="MSFT"), TODAY)
    vitals.detail["day"] = book.told(TODAY)
    await sync.once(beat=True)

    other = await moved(room, store, tmp_path / "other")
    assert [(one.id, one.status) for one in other.orders.all()] == [
        (bought.id, OrderStatus.FILLED),
        (resting.id, OrderStatus.ACCEPTED),
    ]
    assert {one.request.signal_key for one in other.orders.all()} == {"s1", "s2"}
    assert [(lot.rule_id, lot.symbol, lot.quantity) for lot in other.orders.lots.all()] == [(1, "AAPL", 10)]
    state = await other.journal.load(TODAY)
    there = DayBook(other.orders, state.marks)
    assert there.expected(TODAY, "AAPL") == 10
    assert there.pnl(TODAY, lambda symbol: Decimal(90)) == Decimal("-95")
    # The broker's lists tell the same fills again, and those that came meanwhile: each counts once.
    room.broker.fill(resting.broker_order_id or "", 4, "99.00")
    await other.look()
    await other.look()
    assert [(fill.symbol, fill.quantity) for fill in other.orders.fills] == [("AAPL", 10), ("MSFT", 4)]
    assert len(room.broker.sent) == 2
    await other.journal.close()


async def test_an_order_on_its_way_is_asked_for_and_never_sent_again(
    room: Room, store: Engine, account: int, tmp_path: Path
) -> None:
    lease = StoreLease(account, "auto", room.clock, "a/1")
    with writing(store) as session:
        lease.take(session)
    sync = StoreSync(StoreLink(store), room.journal, lease, Vitals(account, room.clock.now), KEY, room.clock)
    request = room.request(quantity=3)
    await room.orders.open_intent(request, TODAY, None, None)
    await sync.once()  # the store heard of the intent, and nothing more

    other = await moved(room, store, tmp_path / "other")
    await other.reconciler.recover()
    found = other.orders.get(request.client_order_id)
    assert found is not None and found.status is OrderStatus.UNKNOWN
    assert other.orders.frozen("AAPL", Side.BUY) is not None
    # It is looked for from the time it was sent at on the other host, until it is proven absent or a person's.
    for _ in range(PROOF_LOOKS + 1):
        room.clock.pass_s(PROOF_S)
        await other.look()
        await other.reconciler.resolve_due()
    resolved = other.orders.get(request.client_order_id)
    assert resolved is not None and resolved.status is not OrderStatus.SUBMITTED
    assert room.broker.sent == []
    await other.journal.close()


async def test_an_order_leaves_only_when_the_store_knows_of_it(room: Room, store: Engine, account: int) -> None:
    async def never() -> bool:
        return False

    room.desk.told = never
    order = await room.desk.place(room.request(), TODAY)
    assert order.status is OrderStatus.DENIED and room.broker.sent == []


@pytest.mark.usefixtures("shared_clock")
def test_another_host_waits_until_the_lease_has_run_out(store: Engine, account: int) -> None:
    clock = FakeClock()
    first, second = (StoreLease(account, "auto", clock, host) for host in ("a/1", "b/2"))
    with writing(store) as session:
        first.take(session)
    first.confirm()
    with writing(store) as session, pytest.raises(HeldElsewhere, match="a/1"):
        second.take(session)
    clock.pass_s(31)
    assert first.fenced() is not None  # long before: half the lease is the margin
    with writing(store) as session:
        second.take(session)
    assert (second.epoch, second.moved_from) == (2, "a/1")
    with writing(store) as session, pytest.raises(HeldElsewhere):
        first.renew(session, first.now(), heartbeats.store_time(session, clock.wall_now()))
    with writing(store) as session:
        second.release(session)
        again = StoreLease(account, "auto", clock, "b/2")
        again.take(session)
    assert (again.epoch, again.moved_from) == (3, "")


def test_an_old_journal_is_kept_under_another_name(tmp_path: Path) -> None:
    for name in ("journal.db", "journal.db-wal", "cache.db"):
        (tmp_path / name).touch()
    handover.put_aside(tmp_path, FakeClock().now)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["cache.db", "journal-20261120150000.db", "journal-20261120150000.db-wal"]
