"""Write the audit row of a service call, in the same transaction as its effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from console.services.permissions import Action, Actor
from console.wiring import Wiring
from shared.store import audit


def note(
    session: Session,
    wiring: Wiring,
    actor: Actor,
    action: Action,
    target: str,
    *,
    account_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    audit.record(
        session,
        wiring.clock.wall_now(),
        actor=actor.label,
        actor_user_id=actor.user_id,
        action=action.value,
        target=target,
        account_id=account_id,
        before=before,
        after=after,
        reason=reason,
        source=actor.source,
    )
