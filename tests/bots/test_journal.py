"""The journal: one owner, whole transactions, nothing forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots.failpoints import FAILPOINTS, reach
from bots.journal import Changes, Duplicate, Journal, JournalBroken, Outgoing
from shared.config import ROOT
from shared.domain.account import Environment
from shared.domain.errors import ConfigError, LeaseLost
from tests.bots.conftest import TODAY, Room
from tests.fakes import KEY


async def test_a_second_bot_is_refused_the_journal(room: Room) -> None:
    code = (
        "import asyncio, sys, pathlib\nfrom bots.journal import Journal\nfrom tests.fakes import KEY\n"
        "asyncio.run(Journal.open(pathlib.Path(sys.argv[1]), KEY))"
    )
    path = str(room.folder / "journal.db")
    second = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode != 0 and LeaseLost.__name__ in second.stderr


async def test_the_journal_of_another_environment_is_refused(room: Room) -> None:
    await room.journal.close()
    with pytest.raises(ConfigError):
        await Journal.open(room.folder / "journal.db", replace(KEY, environment=Environment.LIVE))


async def test_a_damaged_journal_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(ConfigError):
        await Journal.open(path, KEY)
    assert path.exists()


async def test_a_transaction_is_written_whole_or_not_at_all(room: Room) -> None:
    order = await room.desk.place(room.request(), TODAY)
    before = await room.journal.outbox_depth()
    with pytest.raises(Duplicate):
        await room.journal.write(Changes(order=order, opened=True, outbox=(Outgoing("logs", "", "{}"),)))
    assert await room.journal.outbox_depth() == before


async def test_what_was_written_is_what_a_restart_reads(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=10, signal_key="k"), TODAY)
    room.broker.fill(order.broker_order_id or "", 4, "99.99")
    await room.look()
    expected = (room.orders.all(), room.orders.fills, room.orders.lots.all(), room.orders.fill_seq)
    again = await room.restart()
    assert (again.orders.all(), again.orders.fills, again.orders.lots.all(), again.orders.fill_seq) == expected
    await again.journal.close()


async def test_the_outbox_is_in_order_and_forgets_only_what_was_delivered(room: Room) -> None:
    await room.journal.write(Changes(outbox=tuple(Outgoing("logs", str(n), "{}") for n in range(5))))
    rows = await room.journal.queued(10)
    assert [(row.stream_seq, row.key) for row in rows] == [(n + 1, str(n)) for n in range(5)]
    await room.journal.delivered(rows[1].seq)
    await room.journal.set_aside(rows[2].seq, "poison")
    assert [row.key for row in await room.journal.queued(10)] == ["3", "4"]
    await room.journal.write(Changes(outbox=(Outgoing("logs", "5", "{}"),)))
    assert (await room.journal.queued(10))[-1].stream_seq == 6  # numbers are never used again


async def test_a_row_is_found_however_often_the_queue_was_empty_and_while_it_is_looked_at(room: Room) -> None:
    first = await room.journal.queued(10)
    await room.journal.delivered(max((row.seq for row in first), default=0))
    for n in range(3):
        assert await room.journal.queued(10) == [] == await room.journal.queued(10)
        write = asyncio.create_task(room.journal.write(Changes(outbox=(Outgoing("logs", str(n), "{}"),))))
        await asyncio.sleep(0)  # under way
        looked, _ = await asyncio.gather(room.journal.queued(10), write)
        found = looked or await room.journal.queued(10)
        assert [row.key for row in found] == [str(n)]
        await room.journal.delivered(found[-1].seq)


async def test_a_new_journal_numbers_its_streams_above_the_store(room: Room) -> None:
    await room.journal.start_streams_after({"logs": 41})
    await room.journal.write(Changes(outbox=(Outgoing("logs", "", "{}"),)))
    assert (await room.journal.queued(1))[0].stream_seq == 42


async def test_a_disk_that_refuses_the_intent_sends_nothing(room: Room) -> None:
    await room.journal._run(lambda: room.journal._connection.execute("PRAGMA query_only=ON"))
    with pytest.raises(JournalBroken):
        await room.desk.place(room.request(), TODAY)
    assert room.broker.sent == [] and room.orders.all() == []


async def test_the_journal_survives_power_loss_by_its_settings(room: Room) -> None:
    def settings() -> tuple[str, int, str]:
        ask = room.journal._connection.execute
        return (
            ask("PRAGMA journal_mode").fetchone()[0],
            ask("PRAGMA synchronous").fetchone()[0],
            ask("PRAGMA locking_mode").fetchone()[0],
        )

    assert await room.journal._run(settings) == ("wal", 2, "exclusive")
    assert (room.folder / "journal.db").stat().st_mode & 0o077 == 0


async def test_old_orders_that_are_over_stay_on_disk_only(room: Room) -> None:
    order = await room.desk.place(room.request(quantity=1), TODAY)
    room.broker.fill(order.broker_order_id or "", 1, "100.00")
    await room.look()
    state = await room.journal.load(TODAY + timedelta(days=1))
    assert state.orders == () and state.order_count == 1
    assert len(await room.journal.events_of(order.id)) > 4


def test_a_failpoint_that_is_not_armed_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETSTRADE_FAILPOINT", raising=False)
    for name in FAILPOINTS:
        reach(name)


def test_every_failpoint_stands_in_the_order_path_exactly_once() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "bots").glob("*.py") if path.name != "failpoints.py")
    for name in FAILPOINTS:
        assert code.count(f'"{name}"') >= 1, name


def test_sqlite_here_is_new_enough_for_returning() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)
