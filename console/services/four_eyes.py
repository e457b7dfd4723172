"""A second Admin's yes or no. The deed is checked again and takes effect in the same transaction as his yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from console.services import accounts, arming, kill, policies, proof, risk
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.second_looks import DECLINED, DONE, WAITING
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.models import Role, SecondLook
from shared.store import people

Effect = Callable[[Session, Wiring, Actor, SecondLook], Callable[[], None]]
EFFECTS: dict[Action, Effect] = {
    Action.ACCOUNT_ARM: arming.armed,
    Action.ACCOUNT_LIMITS: accounts.limited,
    Action.OWNER_LIMITS: risk.owner_limited,
    Action.KILL_LOWER: kill.lowered,
    Action.POLICY_SET: policies.changed,
}


@dataclass(frozen=True, slots=True)
class LookLine:
    id: int
    action: str
    where: str  # the account's name, or what else it is about
    account_id: int | None
    payload: dict[str, Any]
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    mine: bool  # asked by the one who looks: he cannot agree to it


def waiting(wiring: Wiring, actor: Actor) -> list[LookLine]:
    """What waits for a second Admin; nothing for anybody else."""
    with reading(wiring.engine) as session:
        if authorize(session, actor, Action.VIEW) is not Role.ADMIN:
            return []
        return waiting_in(session, actor, wiring.clock.wall_now())


def waiting_in(session: Session, actor: Actor, now: datetime) -> list[LookLine]:
    """The same, in the session of a caller who has seen that this is an Admin."""
    query = select(SecondLook).where(SecondLook.status == WAITING, col(SecondLook.expires_at) > now)
    rows = list(session.exec(query.order_by(col(SecondLook.id))))
    if not rows:
        return []
    names = people.labels(session)
    called = {row.id: row.nickname for row in visible_accounts(session, actor)}
    return [
        LookLine(
            row.id or 0, row.action, called.get(row.account_id, row.target), row.account_id, row.payload, row.reason,
            names.get(row.asked_by, row.asked_by), row.asked_at, row.expires_at, row.asked_by == actor.label,
        )
        for row in rows
    ]  # fmt: skip


def agree(wiring: Wiring, actor: Actor, look_id: int, *, password: str, code: str = "") -> None:
    """Let the deed take effect. Only another Admin at the screen, who signs again, may; once.

    Raises:
        Forbidden: his own wish, no Admin, wrong proof, or who asked may not ask for it any more.
        Conflict: it was decided or its time is over.
    """
    with writing(wiring.engine) as session:
        look = _open(session, wiring, actor, look_id)
        if actor.user_id is None or actor.label == look.asked_by or actor.user_id == look.asked_by_user_id:
            raise refuse(Forbidden, "own_wish", actor.lang)
        proof.prove(session, wiring, actor, password, code)
        asker = Actor(look.asked_by_user_id, Role.ADMIN, look.source, look.asked_by.partition(":")[2], actor.lang)
        authorize(session, asker, Action(look.action), look.account_id)
        afterwards = EFFECTS[Action(look.action)](session, wiring, asker, look)
        _decide(session, wiring, actor, look, DONE)
    afterwards()


def decline(wiring: Wiring, actor: Actor, look_id: int) -> None:
    """Say no, or take one's own wish back."""
    with writing(wiring.engine) as session:
        _decide(session, wiring, actor, _open(session, wiring, actor, look_id), DECLINED)


def _open(session: Session, wiring: Wiring, actor: Actor, look_id: int) -> SecondLook:
    authorize(session, actor, Action.SECOND_LOOK)
    look = session.get(SecondLook, look_id, with_for_update=True, populate_existing=True)
    if look is None:
        raise refuse(NotFound, "no_look", actor.lang, look=look_id)
    if look.status != WAITING or look.expires_at <= wiring.clock.wall_now():
        raise refuse(Conflict, "look_over", actor.lang)
    return look


def _decide(session: Session, wiring: Wiring, actor: Actor, look: SecondLook, status: str) -> None:
    look.status, look.decided_at = status, wiring.clock.wall_now()
    look.decided_by, look.decided_by_user_id = actor.label, actor.user_id
    session.add(look)
    note(
        session, wiring, actor, Action.SECOND_LOOK, look.target, account_id=look.account_id,
        after={"look": look.id, "status": status, "asked_by": look.asked_by, "deed": look.action},
    )  # fmt: skip
