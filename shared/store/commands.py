"""What a person asked a bot to do, once each: the queue between console and bot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from shared import tables
from shared.db import Record, Store
from shared.tables import fresh

_c = tables.commands.c


class CommandKind(StrEnum):
    TEST_KEY = "TEST_KEY"  # token, environment probe, one balance read; changes nothing
    CANCEL_ORDER = "CANCEL_ORDER"  # payload: order_id, client_order_id
    CANCEL_ALL = "CANCEL_ALL"
    FLATTEN = "FLATTEN"
    SNAPSHOT = "SNAPSHOT"
    PLACE_ORDER = "PLACE_ORDER"  # payload: symbol, side, quantity, price (text) or null for a market order
    AMEND_ORDER = "AMEND_ORDER"  # payload: client_order_id, quantity, price (text)
    PREVIEW_ORDER = "PREVIEW_ORDER"  # payload as PLACE_ORDER; what guards, book and buying power say; nothing is sent
    CLOSE_POSITION = "CLOSE_POSITION"  # payload: symbol, quantity or null for all
    DRY_EVALUATE = "DRY_EVALUATE"  # payload: rule_id; what the rule says now, nothing is sent
    RESOLVE_ORDER = "RESOLVE_ORDER"  # payload: client_order_id, broker_order_id (adopt) or null (never accepted)
    GET_BARS = "GET_BARS"  # payload: symbol, timeframe, count, until (ISO text) or null; bars for backtests
    ACCEPT_HOLDING = "ACCEPT_HOLDING"  # payload: symbol, rule_id or null; the broker's holding is right from here on
    PROPOSE = "PROPOSE"  # payload: rule_id, symbol, verdict, key; the rule's sizing and every guard apply
    APPROVE = "APPROVE"  # payload: proposal_key, by; the entry as it was shown, every guard asked again
    DECLINE = "DECLINE"  # payload: proposal_key, by
    RUN_JOB = "RUN_JOB"  # payload: job; a turn of the schedule now, beside its own turns
    LIFT_SYMBOL = "LIFT_SYMBOL"  # payload: symbol; a person has looked at why it was stopped


class CommandStatus(StrEnum):
    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"


OPEN_COMMANDS = frozenset({CommandStatus.REQUESTED, CommandStatus.RUNNING})


def waiting(store: Store, now: datetime, account_id: int, kind: CommandKind) -> list[Record]:
    """Commands of one kind that a bot has still to finish and that have not outlived their time, oldest first."""
    found = open_of_kind(store, account_id, kind)
    return [one for one in found if one.expires_at is None or one.expires_at > now]


def request(
    store: Store,
    now: datetime,
    *,
    account_id: int | None,
    kind: CommandKind,
    key: str,
    requested_by: str,
    payload: Mapping[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> tuple[Record, bool]:
    """Append a command; True when it is new. The same key again returns the first one and changes nothing."""
    same = select(tables.commands).where(_c.key == key)
    known = store.execute(same).first()
    if known is not None:
        return known, False
    row = fresh(
        tables.commands, account_id=account_id, kind=kind.value, payload=dict(payload or {}), key=key,
        requested_by=requested_by, requested_at=now, expires_at=expires_at,
    )  # fmt: skip
    try:
        with store.begin_nested():
            return store.execute(insert(tables.commands).values(row).returning(*_c)).one(), True
    except IntegrityError:  # the same click arrived on another connection first
        return store.execute(same).one(), False


def recent(store: Store, account_id: int | None, *, limit: int = 10, kind: CommandKind | None = None) -> list[Record]:
    """Newest first."""
    query = select(tables.commands).where(_c.account_id == account_id)
    if kind is not None:
        query = query.where(_c.kind == kind.value)
    return list(store.execute(query.order_by(_c.id.desc()).limit(limit)))


def by_key(store: Store, keys: Collection[str]) -> dict[str, Record]:
    """Those of the keys that were asked."""
    query = select(tables.commands).where(_c.key.in_(keys))
    return {row.key: row for row in store.execute(query)} if keys else {}


def open_of_kind(store: Store, account_id: int, kind: CommandKind) -> list[Record]:
    """Commands of this kind that are asked and not finished, oldest first."""
    still = _c.status.in_(sorted(one.value for one in OPEN_COMMANDS))
    query = select(tables.commands).where(_c.account_id == account_id, _c.kind == kind.value, still)
    return list(store.execute(query.order_by(_c.id)))


def accounts_asking(store: Store, kind: CommandKind) -> set[int]:
    """Accounts with a command of this kind that nobody has claimed."""
    query = select(_c.account_id).where(_c.kind == kind.value, _c.status == CommandStatus.REQUESTED.value)
    return {account_id for account_id in store.execute(query).scalars() if account_id is not None}


def any_asked(store: Store, account_id: int | None, kind: CommandKind | None = None) -> bool:
    """Tell, without locking anything, whether such a command waits."""
    return store.execute(_asked(select(_c.id), account_id, kind).limit(1)).first() is not None


def claim_next(store: Store, now: datetime, account_id: int | None, kind: CommandKind | None = None) -> Record | None:
    """Take the oldest asked command of an account (of `kind`): it becomes RUNNING, once. One past its life becomes EXPIRED.

    None: commands of no account, which the desk's scheduler does.
    """
    asked = _asked(select(_c.id, _c.expires_at), account_id, kind).order_by(_c.id).with_for_update(skip_locked=True)
    for row in store.execute(asked).all():
        this = update(tables.commands).where(_c.id == row.id)
        if row.expires_at is not None and row.expires_at < now:
            store.execute(this.values(status=CommandStatus.EXPIRED.value, finished_at=now))
        else:
            taken = this.values(status=CommandStatus.RUNNING.value, claimed_at=now)
            return store.execute(taken.returning(*_c)).one()
    return None


def finish(store: Store, now: datetime, command_id: int, status: CommandStatus, result: Mapping[str, Any]) -> None:
    """Write the outcome; a command that has one keeps it."""
    ended = update(tables.commands).where(_c.id == command_id, _c.finished_at.is_(None))
    store.execute(ended.values(status=status.value, finished_at=now, result=dict(result)))


def expire_unclaimed(store: Store, now: datetime, command_id: int) -> Record | None:
    """Take back a command that no bot has claimed, so that none ever will; return the row as it stands."""
    this = update(tables.commands).where(_c.id == command_id, _c.status == CommandStatus.REQUESTED.value)
    store.execute(this.values(status=CommandStatus.EXPIRED.value, finished_at=now))
    return store.execute(select(tables.commands).where(_c.id == command_id)).first()


def end_left_running(store: Store, now: datetime, account_id: int) -> None:
    """Commands a bot had claimed when it died are UNKNOWN: their outcome must be looked up, never assumed."""
    result = {
        "error": {"code": "bot_restarted", "what": "봇이 다시 시작되었습니다", "why": "", "now": "주문 목록을 보십시오"}
    }
    left = update(tables.commands).where(_c.account_id == account_id, _c.status == CommandStatus.RUNNING.value)
    ended = left.where(_c.finished_at.is_(None))
    store.execute(ended.values(status=CommandStatus.UNKNOWN.value, finished_at=now, result=result))


def _asked(query: Select[Any], account_id: int | None, kind: CommandKind | None) -> Select[Any]:
    asked = query.where(_c.account_id == account_id, _c.status == CommandStatus.REQUESTED.value)
    return asked if kind is None else asked.where(_c.kind == kind.value)
