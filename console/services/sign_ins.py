"""Who is signed in where: see it, end it. Everybody his own; an Admin everybody's. And the trail of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.services.permissions import Action, Actor, authorize, may_see, refuse
from console.services.trail import note
from console.services.trail_names import TrailLine, names_of, references
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import NotFound
from shared.models import LoginSession, Role
from shared.store import audit, sessions


@dataclass(frozen=True, slots=True)
class SignInLine:
    id: int
    user_id: int
    email: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    browser: str
    method: str


def listed(wiring: Wiring, actor: Actor) -> list[SignInLine]:
    """Live sessions, the newest activity first."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        role = authorize(session, actor, Action.VIEW)
        only = None if role is Role.ADMIN else actor.user_id
        return [
            SignInLine(
                row.id or 0,
                row.user_id,
                email,
                row.created_at,
                row.last_seen_at,
                row.expires_at,
                row.ip,
                row.user_agent,
                row.method,
            )
            for row, email in sessions.live(session, now, only)
        ]


def end(wiring: Wiring, actor: Actor, session_id: int) -> None:
    """End one session at once; others than one's own are an Admin's to end."""
    with writing(wiring.engine) as session:
        role = authorize(session, actor, Action.SESSION_END)
        row = session.get(LoginSession, session_id)
        if row is None or (role is not Role.ADMIN and row.user_id != actor.user_id):
            raise refuse(NotFound, "no_session", actor.lang)
        if row.revoked_at is None:
            row.revoked_at = wiring.clock.wall_now()
            session.add(row)
            note(session, wiring, actor, Action.SESSION_END, f"user:{row.user_id}", after={"session": session_id})


def trail(
    wiring: Wiring, actor: Actor, *, account_id: int | None = None, action: str = "", limit: int = 200
) -> list[TrailLine]:
    """What people and programs did, newest first: an Admin's to read."""
    with reading(wiring.engine) as session:
        role = authorize(session, actor, Action.AUDIT_READ)
        if account_id is not None and not may_see(session, actor, role, account_id):
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        rows = audit.newest(session, account_id=account_id, action=action, limit=limit)
        pointed = {one for row in rows for one in (row.actor, row.target, *references(row.before, row.after))}
        pointed |= {f"account:{row.actor.partition(':')[2]}" for row in rows if row.actor.startswith("bot:")}
        names = names_of(session, pointed)
        return [
            TrailLine(
                row.id or 0, row.at, row.actor, row.action, row.target, row.reason, row.source, row.before, row.after,
                names,
            )
            for row in rows
        ]  # fmt: skip
