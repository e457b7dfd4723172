"""The kill switch: raising is easy, lowering is an Admin's and needs a reason."""

from __future__ import annotations

from sqlmodel import Session

from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict
from shared.store import kill


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
