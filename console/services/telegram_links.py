"""Which Telegram user stands for which user of the desk, and how he wants to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from console.services import users
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import Conflict
from shared.store.people import link_telegram, telegram_people
from shared.wording.alerts import TEXTS

LEVELS = ("loud", "silent", "off")
CRITICAL = "critical"  # always rings; a single event may be hushed by its name
SEVERITIES = ("info", "warning", CRITICAL)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Empty fields change nothing; "-" takes a wish back."""

    quiet: str = ""  # HH:MM-HH:MM
    report_at: str = ""  # HH:MM
    levels: tuple[str, ...] = ()  # EVENT=level or severity=level


def link(wiring: Wiring, actor: Actor, user: str, telegram_id: int, wishes: Wishes) -> None:
    """Let the Telegram user act with the role of `user` (id or email). An Admin's work.

    Raises:
        Conflict: a time or level that cannot be read.
    """
    user_id = users.by_name(wiring, actor, user)
    start, _, end = wishes.quiet.partition("-")
    levels = dict(_level(actor, one) for one in wishes.levels)
    for one in (start, end, wishes.report_at.removeprefix("-")):
        _check_time(actor, one)
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.USER_MANAGE)
        row = link_telegram(session, wiring.clock.wall_now(), user_id, telegram_id)
        if wishes.quiet:
            row.quiet_from, row.quiet_to = start, end
        if wishes.report_at:
            row.report_at = wishes.report_at.removeprefix("-")
        row.levels = {**row.levels, **levels}
        session.add(row)
        after = {"telegram_id": telegram_id, "quiet": wishes.quiet, "report_at": wishes.report_at, "levels": levels}
        note(session, wiring, actor, Action.USER_MANAGE, f"user:{user_id}", after=after)


def count(wiring: Wiring) -> int:
    """How many Telegram users are linked and not disabled."""
    with reading(wiring.engine) as session:
        return len(telegram_people(session))


def _check_time(actor: Actor, text: str) -> None:
    try:
        if text:
            time.fromisoformat(text)
    except ValueError:
        raise refuse(Conflict, "bad_wish", actor.lang, wish=text) from None


def _level(actor: Actor, text: str) -> tuple[str, str]:
    name, _, level = text.partition("=")
    known = name in TEXTS or name in SEVERITIES
    if not known or level not in LEVELS or (name == CRITICAL and level != "loud"):
        raise refuse(Conflict, "bad_wish", actor.lang, wish=text)
    return name, level
