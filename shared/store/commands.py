"""What a person asked a bot to do, once each: the queue between console and bot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from shared.models import Command


class CommandKind(StrEnum):
    TEST_KEY = "TEST_KEY"  # token, environment probe, one balance read; changes nothing
    CANCEL_ORDER = "CANCEL_ORDER"  # payload: order_id, client_order_id
    CANCEL_ALL = "CANCEL_ALL"
    FLATTEN = "FLATTEN"
    SNAPSHOT = "SNAPSHOT"


class CommandStatus(StrEnum):
    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"


OPEN_COMMANDS = frozenset({CommandStatus.REQUESTED, CommandStatus.RUNNING})


def request(
    session: Session,
    now: datetime,
    *,
    account_id: int | None,
    kind: CommandKind,
    key: str,
    requested_by: str,
    payload: Mapping[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> tuple[Command, bool]:
    """Append a command; True when it is new. The same key again returns the first one and changes nothing."""
    known = session.exec(select(Command).where(Command.key == key)).first()
    if known is not None:
        return known, False
    row = Command(
        account_id=account_id,
        kind=kind.value,
        payload=dict(payload or {}),
        key=key,
        requested_by=requested_by,
        requested_at=now,
        expires_at=expires_at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # the same click arrived on another connection first
        return session.exec(select(Command).where(Command.key == key)).one(), False
    return row, True


def recent(session: Session, account_id: int, *, limit: int = 10, kind: CommandKind | None = None) -> list[Command]:
    """Newest first."""
    query = select(Command).where(Command.account_id == account_id)
    if kind is not None:
        query = query.where(Command.kind == kind.value)
    return list(session.exec(query.order_by(col(Command.id).desc()).limit(limit)))


def open_of_kind(session: Session, account_id: int, kind: CommandKind) -> list[Command]:
    """Commands of this kind that are asked and not finished."""
    return list(
        session.exec(
            select(Command).where(
                Command.account_id == account_id,
                Command.kind == kind.value,
                col(Command.status).in_(sorted(OPEN_COMMANDS)),
            )
        )
    )
