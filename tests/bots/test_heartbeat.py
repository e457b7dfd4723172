"""The heartbeat in the store: each two seconds, and at once when the state or the configuration in force is new."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from bots.heartbeat import Vitals
from bots.journal import Journal
from bots.lease import StoreLease
from bots.sync import StoreLink, StoreSync
from shared.db import reading, writing
from shared.models import BrokerageAccount, Heartbeat
from shared.store import accounts
from tests.fakes import KEY, START, FakeClock


async def test_a_new_configuration_does_not_wait_for_the_next_heartbeat(store: Engine, tmp_path: Path) -> None:
    with writing(store) as session:
        owner = accounts.first_owner(session, START).id or 0
        row = BrokerageAccount(
            owner_id=owner, nickname="bot", broker="KIS", market="US", environment="SIM", created_at=START
        )
        session.add(row)
        session.flush()
        assert row.id == KEY.account_id
    clock, vitals = FakeClock(), Vitals(KEY.account_id, started_at=START)
    link, journal = StoreLink(store), await Journal.open(tmp_path / "journal.db", KEY)
    sync = StoreSync(link, journal, StoreLease(KEY.account_id, "manual", clock), vitals, KEY, clock)

    def told() -> int:
        with reading(store) as session:
            return session.get_one(Heartbeat, KEY.account_id).config_version

    vitals.config_version = 1
    await sync.once()
    assert told() == 1
    clock.pass_s(0.1)
    vitals.loop_lag_ms = 9.0
    vitals.config_version = 2
    await sync.once()
    assert told() == 2
    await journal.close()
    link.close()
