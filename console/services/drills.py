"""Fire drills: let the local exchange misbehave towards one SIM account, and watch what its bot makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.services import exchange_admin
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment
from shared.domain.errors import Conflict, NotFound
from shared.store import accounts


@dataclass(frozen=True, slots=True)
class DrillLine:
    """One drill in the words of the person."""

    name: str
    title: str
    does: str
    ends: str


@dataclass(frozen=True, slots=True)
class Running:
    """A drill that was started here."""

    name: str
    account_id: int
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Struck:
    """What the exchange says of the faults of a drill that still stand."""

    standing: int
    fired: int


def listed(wiring: Wiring, actor: Actor) -> list[DrillLine]:
    """Every drill the exchange knows."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW)
    return [_line(one, actor.lang) for one in exchange_admin.drills(wiring.settings)]


def start(wiring: Wiring, actor: Actor, name: str, account_id: int) -> Running:
    """Start a drill for one account; its row in the audit is written first.

    Raises:
        Conflict: the account is not on the local exchange: nothing is ever planted for another environment.
    """
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.DRILL, account_id)
        row = accounts.find(session, account_id)
    if row is None:
        raise refuse(NotFound, "no_account", actor.lang, account=account_id)
    if row.environment != Environment.SIM:
        raise refuse(Conflict, "drill_needs_sim", actor.lang, account=row.nickname)
    number = exchange_admin.number_of(wiring.settings, row.broker, row.number_tail or row.last4)
    if number is None:
        raise refuse(Conflict, "drill_no_number", actor.lang, account=row.nickname)
    began = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.DRILL, account_id)
        note(session, wiring, actor, Action.DRILL, f"drill:{name}", account_id=account_id, after={"started": True})
    exchange_admin.start(wiring.settings, name, number)
    return Running(name, account_id, began)


def end(wiring: Wiring, actor: Actor, running: Running) -> int:
    """End a drill: remove what it planted, put the tape back."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.DRILL, running.account_id)
        target = f"drill:{running.name}"
        note(session, wiring, actor, Action.DRILL, target, account_id=running.account_id, after={"ended": True})
    return exchange_admin.end(wiring.settings, running.name)


def struck(wiring: Wiring, actor: Actor, running: Running) -> Struck:
    """How often the planted faults have struck so far."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, running.account_id)
    chosen = exchange_admin.drill(wiring.settings, running.name)
    standing = exchange_admin.planted(wiring.settings, chosen)
    return Struck(len(standing), sum(int(one["fired"]) for one in standing))


def _line(one: dict[str, Any], lang: str) -> DrillLine:
    return DrillLine(one["name"], one[lang], one[f"does_{lang}"], one[f"ends_{lang}"])
