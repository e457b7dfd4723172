"""What a bot asks of its store each second, in one statement: what is wanted of it, the kill switch, whose commands wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select

from shared import tables
from shared.db import Record, Store, on_postgresql
from shared.domain.bot_state import KillLevel
from shared.store import exposure, kill
from shared.store.commands import CommandStatus
from shared.store.heartbeats import STORE_CLOCK

_a, _c = tables.accounts.c, tables.commands.c
_WAITING = exists().where(_c.account_id == _a.id, _c.status == CommandStatus.REQUESTED.value).correlate(tables.accounts)
_WISHES = (
    select(
        _a.id, _a.enabled, _a.config_version, kill.HIGHEST.label("level"), _WAITING.label("commands"), *exposure.MINE,
    )
    .select_from(exposure.OWNERS)
    .where(_a.id == bindparam("account"))
)  # fmt: skip
_WISHES_AND_TIME = _WISHES.add_columns(*(one.label(f"clock_{number}") for number, one in enumerate(STORE_CLOCK)))


@dataclass(frozen=True, slots=True)
class Wishes:
    """One answer. `me` is what the owner's other accounts are found by (shared/store/exposure.py)."""

    enabled: bool
    config_version: int
    kill_level: KillLevel
    commands: bool  # some wait to be claimed
    store_time: datetime | None  # the clock that all hosts share; None: the store has none, ours counts
    me: Record


def read(store: Store, account_id: int) -> Wishes:
    """Ask; raises NoResultFound when there is no such account."""
    has_clock = on_postgresql(store)
    row = store.execute(_WISHES_AND_TIME if has_clock else _WISHES, {"account": account_id}).one()
    at = row.clock_0 if has_clock else None
    return Wishes(row.enabled, row.config_version, KillLevel(row.level), row.commands, at, row)
