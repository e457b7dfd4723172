"""The kill switch: raising is easy, lowering is an Admin's and needs a reason."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, NotFound
from shared.models import Command
from shared.store import accounts, commands, kill
from shared.store.commands import CommandKind

ACTION_LIFE = timedelta(minutes=5)


def raise_level(wiring: Wiring, actor: Actor, level: KillLevel, *, account_id: int | None = None) -> None:
    """Raise the level of one account, or of all; a lower or equal level changes nothing."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KILL_RAISE, account_id)
        before = kill.level_of(session, account_id)
        if level <= before:
            return
        _set(session, wiring, actor, Action.KILL_RAISE, before, level, account_id, "")
    nudge(wiring.settings, account_id)


def lower_level(wiring: Wiring, actor: Actor, level: KillLevel, *, reason: str, account_id: int | None = None) -> None:
    """Lower the level; Admin only, with a reason."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.KILL_LOWER, account_id)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        before = kill.level_of(session, account_id)
        if level >= before:
            return
        _set(session, wiring, actor, Action.KILL_LOWER, before, level, account_id, reason)
    nudge(wiring.settings, account_id)


def cancel_all(wiring: Wiring, actor: Actor, account_id: int, *, key: str) -> Command:
    """Ask the account's bot to cancel every open order; the same key is the same command."""
    return _act(wiring, actor, account_id, Action.CANCEL_ALL, CommandKind.CANCEL_ALL, key)


def flatten(wiring: Wiring, actor: Actor, account_id: int, *, key: str, confirm: str, reason: str) -> Command:
    """Ask the bot to cancel everything, sell everything, and halt when flat. Needs the account's typed name and a reason."""
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    return _act(wiring, actor, account_id, Action.FLATTEN, CommandKind.FLATTEN, key, confirm, reason)


def _act(
    wiring: Wiring, actor: Actor, account_id: int, action: Action, kind: CommandKind, key: str,
    confirm: str | None = None, reason: str = "",
) -> Command:  # fmt: skip
    with writing(wiring.engine) as session:
        authorize(session, actor, action, account_id)
        row = accounts.find(session, account_id)
        if row is None or row.archived_at is not None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        if confirm is not None and confirm != row.nickname:
            raise refuse(Conflict, "confirm_name", actor.lang, nickname=row.nickname)
        now = wiring.clock.wall_now()
        command, new = commands.request(
            session,
            now,
            account_id=account_id,
            kind=kind,
            key=key,
            requested_by=actor.label,
            expires_at=now + ACTION_LIFE,
        )
        if new:
            after = {"command": command.id}
            note(
                session,
                wiring,
                actor,
                action,
                f"account:{account_id}",
                account_id=account_id,
                after=after,
                reason=reason,
            )
    nudge(wiring.settings, account_id)
    return command


def _set(
    session: Session,
    wiring: Wiring,
    actor: Actor,
    action: Action,
    before: KillLevel,
    level: KillLevel,
    account_id: int | None,
    reason: str,
) -> None:
    now = wiring.clock.wall_now()
    kill.set_level(session, now, account_id=account_id, level=level, reason=reason, by=actor.label)
    note(
        session,
        wiring,
        actor,
        action,
        kill.scope_of(account_id),
        account_id=account_id,
        before={"level": before.name},
        after={"level": level.name},
        reason=reason,
    )
