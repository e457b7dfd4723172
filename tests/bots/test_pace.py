"""A hosted store hears of orders at once and of the rest in batches; a store on this machine hears everything at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from bots import outgoing
from bots.heartbeat import Vitals
from bots.journal import Changes
from bots.lease import StoreLease
from bots.pace import HOSTED, LOCAL, Pace, pace_of
from bots.sync import StoreLink, StoreSync
from shared.config import load_settings
from shared.db import reading, writing
from shared.domain.errors import ConfigError
from shared.models import ExecutionLog, FillRow, QuoteRow
from tests.bots.conftest import Room
from tests.bots.test_sync import account, trade  # noqa: F401  (account is a fixture)
from tests.fakes import KEY

QUOTE = {
    "symbol": "AAPL",
    "last": "211.5",
    "at": "2026-11-20T15:00:00+00:00",
    "received_at": "2026-11-20T15:00:00+00:00",
}


def sync_of(room: Room, store: Engine, pace: Pace) -> StoreSync:
    lease = StoreLease(KEY.account_id, "pinned", room.clock)
    with writing(store) as session:
        lease.take(session)
    vitals = Vitals(KEY.account_id, room.clock.now)
    return StoreSync(StoreLink(store), room.journal, lease, vitals, KEY, room.clock, pace)


async def say(room: Room, text: str) -> None:
    await room.journal.write(Changes(outbox=(outgoing.log("INFO", text, room.clock.now),)))


def logs(store: Engine) -> list[str]:
    with reading(store) as session:
        return [row.message for row in session.exec(select(ExecutionLog).order_by(ExecutionLog.seq))]  # type: ignore[arg-type]


async def test_logs_and_prices_wait_for_company_and_none_is_lost(room: Room, store: Engine, account: int) -> None:  # noqa: F811
    sync = sync_of(room, store, HOSTED)
    sync.snapshots.put("quotes", "AAPL", QUOTE)
    await sync.once()  # the first look shows what there is
    await say(room, "one")
    later = {"last": "212", "at": "2026-11-20T15:00:05+00:00", "received_at": "2026-11-20T15:00:05+00:00"}
    sync.snapshots.put("quotes", "AAPL", {**QUOTE, **later})
    for _ in range(10):
        room.clock.pass_s(4)
        await sync.once()
        assert logs(store) == []
    room.clock.pass_s(25)
    await say(room, "two")
    await sync.once()
    assert logs(store) == ["one", "two"]
    with reading(store) as session:
        assert str(session.exec(select(QuoteRow)).one().last) == "212"


async def test_a_fill_goes_at_once_and_takes_the_waiting_along(room: Room, store: Engine, account: int) -> None:  # noqa: F811
    sync = sync_of(room, store, HOSTED)
    await sync.once()
    await say(room, "before the order")
    await sync.once()
    assert logs(store) == []
    await trade(room)
    sync.snapshots.put("quotes", "AAPL", QUOTE)
    await sync.once()
    with reading(store) as session:
        assert len(session.exec(select(FillRow)).all()) == 1 and len(session.exec(select(QuoteRow)).all()) == 1
    assert logs(store) == ["before the order"]
    assert await room.journal.outbox_depth() == 0


async def test_a_full_outbox_does_not_wait(room: Room, store: Engine, account: int) -> None:  # noqa: F811
    sync = sync_of(room, store, HOSTED)
    rows = tuple(outgoing.log("INFO", str(n), room.clock.now) for n in range(450))
    await room.journal.write(Changes(outbox=rows))
    await sync.once()
    assert len(logs(store)) == 400


@pytest.mark.parametrize(
    ("address", "named", "pace"),
    [
        ("sqlite:///x.db", "", LOCAL),
        ("postgresql://u:p@127.0.0.1:5432/d", "", LOCAL),
        ("postgresql://u:p@localhost/d", "", LOCAL),
        ("postgresql://postgres.x:p@aws-0-ap-northeast-2.pooler.supabase.com:6543/postgres", "", HOSTED),
        ("postgresql://u:p@127.0.0.1/d", "hosted", HOSTED),
        ("postgresql://u:p@db.example.com/d", "local", LOCAL),
    ],
)
def test_the_pace_follows_where_the_store_is(address: str, named: str, pace: Pace, tmp_path: Path) -> None:
    env = {"LETSTRADE_HOME": str(tmp_path), "DATABASE_URL": address, "LETSTRADE_STORE_PACE": named or "auto"}
    assert pace_of(load_settings(env)) is pace
    with pytest.raises(ConfigError, match="LETSTRADE_STORE_PACE"):
        pace_of(load_settings({**env, "LETSTRADE_STORE_PACE": "fast"}))
