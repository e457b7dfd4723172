"""A person's own password, changed inside the console: signed again, other sign-ins of his end, this one stays."""

from __future__ import annotations

from console.services import proof
from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import writing
from shared.domain.errors import Conflict, Forbidden
from shared.store.people import active_user
from shared.store.sessions import revoke_others
from shared.words import say


def change(
    wiring: Wiring, actor: Actor, current: str, new: str, repeat: str, *, token: str, code: str = ""
) -> None:  # fmt: skip
    """Replace the password of the person at the screen; `token` is the session that stays signed in.

    Raises:
        Conflict: the new one is too short, too long, the same, or the two differ.
        Forbidden: the present one or the second factor is wrong, or too many were.
    """
    from console.passwords import hash_password  # loads streamlit
    from console.signin import unusable

    problem = unusable(current, new, repeat)
    if problem:
        raise refuse(Conflict, "password_unusable", actor.lang, problem=say(problem, actor.lang))
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.PASSWORD_OWN)
        proof.prove(session, wiring, actor, current, code)
        user = None if actor.user_id is None else active_user(session, actor.user_id)
        if user is None:
            raise refuse(Forbidden, "signed_out", actor.lang)
        user.password_hash, user.must_change_password = hash_password(new), False
        session.add(user)
        revoke_others(session, user.id or 0, token, wiring.clock.wall_now())
        note(session, wiring, actor, Action.PASSWORD_OWN, f"user:{user.id}")
