"""Which host acts for which account, and letting one go: a person's word that the host is off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.services.nudge import nudge
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict
from shared.store import heartbeats


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an account's lease. `host` is empty when nobody does or did."""

    host: str
    acting: bool
    since: datetime | None
    renewed_at: datetime | None
    epoch: int


def holder_of(wiring: Wiring, actor: Actor, account_id: int) -> Holder:
    """The host that acts, or acted last, for the account."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        row = heartbeats.lease_of(session, f"account:{account_id}")
    if row is None:
        return Holder("", False, None, None, 0)
    host, _, process = row.holder.rpartition(":")
    return Holder(host, bool(process), row.acquired_at, row.renewed_at, row.epoch)


def let_go(wiring: Wiring, actor: Actor, account_id: int, *, reason: str) -> None:
    """Let any host take the account: its own will not act again before that. Admin only, with a reason.

    Raises:
        Conflict: the host still renews its lease; stop the bot there first.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.ACCOUNT_MOVE, account_id)
        if not reason.strip():
            raise refuse(Conflict, "reason_missing", actor.lang)
        name = f"account:{account_id}"
        row = heartbeats.lease_of(session, name)
        now = heartbeats.store_time(session, wiring.clock.wall_now())
        if row is not None and not row.holder.endswith(":") and row.renewed_at + timedelta(seconds=row.ttl_s) > now:
            raise refuse(Conflict, "still_acting", actor.lang, host=row.holder)
        before = row.holder if row is not None else ""
        heartbeats.give_up_lease(session, name)
        note(
            session, wiring, actor, Action.ACCOUNT_MOVE, name, account_id=account_id, before={"holder": before},
            after={"holder": ""}, reason=reason,
        )  # fmt: skip
    nudge(wiring.settings, account_id)
