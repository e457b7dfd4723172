"""What a person asked a bot to do, once each: the queue between console and bot."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


def by_key(session: Session, keys: Collection[str]) -> dict[str, Command]:
    """Those of the keys that were asked."""
    return {row.key: row for row in session.exec(select(Command).where(col(Command.key).in_(keys)))} if keys else {}


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


def accounts_asking(session: Session, kind: CommandKind) -> set[int]:
    """Accounts with a command of this kind that nobody has claimed."""
    query = select(Command.account_id).where(
        Command.kind == kind.value, Command.status == CommandStatus.REQUESTED.value
    )
    return {account_id for account_id in session.exec(query) if account_id is not None}


def any_asked(session: Session, account_id: int | None, kind: CommandKind) -> bool:
    """Tell, without locking anything, whether such a command waits."""
    query = select(Command.id).where(
        Command.account_id == account_id, Command.kind == kind.value, Command.status == CommandStatus.REQUESTED.value
    )
    return session.exec(query.limit(1)).first() is not None


def claim_next(
    session: Session, now: datetime, account_id: int | None, kind: CommandKind | None = None
) -> Command | None:
    """Take the oldest asked command of an account (of `kind`): it becomes RUNNING, once. One past its life becomes EXPIRED.

    None: commands of no account, which the desk's scheduler does.
    """
    query = (
        select(Command)
        .where(Command.account_id == account_id, Command.status == CommandStatus.REQUESTED.value)
        .order_by(col(Command.id))
        .with_for_update(skip_locked=True)
    )
    if kind is not None:
        query = query.where(Command.kind == kind.value)
    for row in session.exec(query):
        if row.expires_at is not None and row.expires_at < now:
            row.status, row.finished_at = CommandStatus.EXPIRED.value, now
            session.add(row)
            continue
        row.status, row.claimed_at = CommandStatus.RUNNING.value, now
        session.add(row)
        session.flush()
        return row
    return None


def finish(session: Session, now: datetime, command_id: int, status: CommandStatus, result: Mapping[str, Any]) -> None:
    """Write the outcome; a command that has one keeps it."""
    row = session.get(Command, command_id)
    if row is not None and row.finished_at is None:
        row.status, row.finished_at, row.result = status.value, now, dict(result)
        session.add(row)


def expire_unclaimed(session: Session, now: datetime, command_id: int) -> Command | None:
    """Take back a command that no bot has claimed, so that none ever will; return the row as it stands."""
    row = session.get(Command, command_id, with_for_update=True, populate_existing=True)
    if row is not None and row.status == CommandStatus.REQUESTED.value:
        row.status, row.finished_at = CommandStatus.EXPIRED.value, now
        session.add(row)
        session.flush()
    return row


def end_left_running(session: Session, now: datetime, account_id: int) -> None:
    """Commands a bot had claimed when it died are UNKNOWN: their outcome must be looked up, never assumed."""
    result = {
        "error": {"code": "bot_restarted", "what": "봇이 다시 시작되었습니다", "why": "", "now": "주문 목록을 보십시오"}
    }
    query = select(Command).where(Command.account_id == account_id, Command.status == CommandStatus.RUNNING.value)
    for row in session.exec(query):
        finish(session, now, row.id or 0, CommandStatus.UNKNOWN, result)
