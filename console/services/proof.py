"""Sign again before the gravest deeds: password, and the second factor of who has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Session

from console.services.permissions import KEY_HOLDERS, Actor, refuse
from console.wiring import Wiring
from shared.domain.errors import Forbidden
from shared.store.people import active_user

if TYPE_CHECKING:
    from console.signin import Throttle

WRONG_LIMIT, WRONG_WINDOW_S = 5, 300.0

_wrong: list[Throttle] = []  # one for the process


def prove(session: Session, wiring: Wiring, actor: Actor, password: str, code: str = "") -> None:
    """Whoever can read the key file has proved himself; a person at the screen signs again.

    Raises:
        Forbidden: wrong password, wrong or missing second factor, or too many wrong ones.
    """
    if actor.user_id is None and actor.source in KEY_HOLDERS:
        return
    from console.passwords import check_password  # loads streamlit: only where a person signs again
    from console.services import factors
    from console.signin import Throttle

    if not _wrong:
        _wrong.append(Throttle(wiring.clock, limit=WRONG_LIMIT, window_s=WRONG_WINDOW_S))
    user = None if actor.user_id is None else active_user(session, actor.user_id)
    if user is None or _wrong[0].wait_s(actor.label) > 0:
        raise refuse(Forbidden, "reauth_throttled", actor.lang)
    _wrong[0].count(actor.label)
    if not check_password(password, user.password_hash or ""):
        raise refuse(Forbidden, "reauth", actor.lang)
    if user.totp_since is not None and not factors.accepts(session, wiring, user, code):
        raise refuse(Forbidden, "factor_wrong", actor.lang)
    _wrong[0].clear(actor.label)


def asks_code(wiring: Wiring, actor: Actor) -> bool:
    """Whether `prove` will want a code of this person, so that a dialog shows the field."""
    from console.services import factors

    return actor.user_id is not None and factors.standing(wiring, actor.user_id).since is not None
