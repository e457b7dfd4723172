"""What the desk demands of its people: a second factor of some roles, four eyes for the gravest deeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from console.services import proof, second_looks
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict
from shared.models import Role, SecondLook
from shared.store import factors


@dataclass(frozen=True, slots=True)
class Policies:
    factor_of: frozenset[Role]
    four_eyes: bool


def standing(wiring: Wiring, actor: Actor) -> Policies:
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW)
        return _now(session)


def demand_factor(
    wiring: Wiring, actor: Actor, roles: Collection[Role], *, reason: str, password: str, code: str = ""
) -> None:
    """Demand a second factor of these roles; who has none is held at the door until he enrols."""
    wish = {"factor_of": sorted(role.value for role in roles)}
    with writing(wiring.engine) as session:
        before = _asked(session, wiring, actor, reason, password, code)
        fewer = not before.factor_of <= set(roles)
        look = second_looks.wanted(session, wiring, actor, Action.POLICY_SET, "desk", wish, reason, riskier=fewer)
        if look is None:
            _set(session, wiring, actor, wish, reason)
    second_looks.tell(actor, look)


def demand_four_eyes(wiring: Wiring, actor: Actor, on: bool, *, reason: str, password: str, code: str = "") -> None:
    """Let arming, higher limits and a lower kill switch wait for a second Admin. Ending that waits for one, too.

    Raises:
        Conflict: there is no second Admin who could ever agree.
    """
    with writing(wiring.engine) as session:
        _asked(session, wiring, actor, reason, password, code)
        if on and factors.admins(session) < 2:
            raise refuse(Conflict, "one_admin", actor.lang)
        wish = {"four_eyes": on}
        look = second_looks.wanted(session, wiring, actor, Action.POLICY_SET, "desk", wish, reason, riskier=not on)
        if look is None:
            _set(session, wiring, actor, wish, reason)
    second_looks.tell(actor, look)


def changed(session: Session, wiring: Wiring, asker: Actor, look: SecondLook) -> Callable[[], None]:
    """Put a policy in force that a second Admin has agreed to."""
    _set(session, wiring, asker, look.payload, look.reason)
    return lambda: None


def _asked(session: Session, wiring: Wiring, actor: Actor, reason: str, password: str, code: str) -> Policies:
    authorize(session, actor, Action.POLICY_SET)
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    proof.prove(session, wiring, actor, password, code)
    return _now(session)


def _now(session: Session) -> Policies:
    return Policies(frozenset(Role(one) for one in factors.required_roles(session)), factors.four_eyes(session))


def _set(session: Session, wiring: Wiring, actor: Actor, wish: Mapping[str, object], reason: str) -> None:
    before = _now(session)
    told = {"factor_of": sorted(before.factor_of), "four_eyes": before.four_eyes}
    roles, on = wish.get("factor_of"), wish.get("four_eyes")
    if isinstance(roles, list):
        factors.require_of(session, roles)
    if on is not None:
        factors.set_four_eyes(session, on is True)
    note(session, wiring, actor, Action.POLICY_SET, "desk", before=told, after={**told, **wish}, reason=reason)
