"""Four eyes: what one Admin asks waits for another one's yes. Where the desk does not want that, nothing waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session, col, select

from console.services.permissions import Action, Actor, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.domain.errors import Conflict
from shared.models import SecondLook
from shared.store import factors

LIFE = timedelta(minutes=15)
WAITING, DONE, DECLINED = "WAITING", "DONE", "DECLINED"


def wanted(
    session: Session, wiring: Wiring, actor: Actor, action: Action, target: str, payload: Mapping[str, Any], reason: str,
    *, account_id: int | None = None, riskier: bool = True,
) -> SecondLook | None:  # fmt: skip
    """Put the deed down for a second Admin; None when it may take effect at once. The same deed waits once."""
    if not riskier or not factors.four_eyes(session):
        return None
    now = wiring.clock.wall_now()
    same = select(SecondLook).where(
        SecondLook.status == WAITING, col(SecondLook.expires_at) > now, SecondLook.action == action.value,
        SecondLook.target == target, SecondLook.asked_by == actor.label,
    )  # fmt: skip
    for known in session.exec(same):
        if known.payload == dict(payload):
            return known
    row = SecondLook(
        action=action.value, target=target, account_id=account_id, payload=dict(payload), reason=reason,
        asked_by=actor.label, asked_by_user_id=actor.user_id, source=actor.source, asked_at=now, expires_at=now + LIFE,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note(
        session, wiring, actor, Action.SECOND_LOOK, target, account_id=account_id,
        after={"asked": action.value, "look": row.id, **dict(payload)}, reason=reason,
    )  # fmt: skip
    return row


def tell(actor: Actor, look: SecondLook | None) -> None:
    """Say that a deed waits: raised after its row is committed, so that every door shows it."""
    if look is not None:
        raise refuse(Conflict, "second_admin", actor.lang, minutes=int(LIFE.total_seconds() // 60))


def raises(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> bool:
    """Tell whether a change of limits is anything but lower numbers."""
    return any(not _lower(before.get(name), value) for name, value in after.items() if value != before.get(name))


def _lower(before: str | None, after: str | None) -> bool:
    try:
        return before is not None and after is not None and Decimal(after) <= Decimal(before)
    except InvalidOperation:
        return False
