"""Who is at the screen."""

from __future__ import annotations

from console.services.permissions import Actor
from console.services.signin import signed_in
from console.wiring import Wiring
from shared.db import writing
from shared.models import Role
from shared.store.people import active_user
from shared.words import LANGS


def actor_of(wiring: Wiring, token: str | None) -> Actor | None:
    """The person behind a session cookie, with his present role and language; None when the session has ended."""
    who = signed_in(wiring.engine, wiring.clock, token)
    if who is None:
        return None
    lang = who.lang if who.lang in LANGS else wiring.settings.lang
    return Actor(who.user_id, Role(who.role), "console", who.email, lang or LANGS[0])


def set_language(wiring: Wiring, actor: Actor, lang: str) -> None:
    """Keep the person's language."""
    if actor.user_id is None or lang not in LANGS:
        return
    with writing(wiring.engine) as session:
        user = active_user(session, actor.user_id)
        if user is not None:
            user.lang = lang
            session.add(user)
