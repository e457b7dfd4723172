"""Who is at the screen: his session, role and language."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from console.services import changes
from console.services.permissions import Actor
from console.wiring import Wiring
from shared.clock import Clock
from shared.db import reading, writing
from shared.models import Role
from shared.store import audit
from shared.store.heartbeats import fact, set_fact
from shared.store.people import active_user
from shared.store.sessions import SignedIn, find_session, revoke_session, touch_session
from shared.words import LANGS

COLOURS = ("red", "green")  # which one means up
TOUCH_EVERY = timedelta(seconds=30)


def actor_of(wiring: Wiring, token: str | None) -> Actor | None:
    """The person behind a session cookie, with his present role and language.

    None when the session has ended, or is held at the door until he has changed his password or enrolled.
    """
    who = signed_in(wiring.engine, wiring.clock, token)
    if who is None or who.held_at:
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
    changes.forget()


def colours(wiring: Wiring, actor: Actor) -> str:
    """ "red" (up is red, the Korean habit) or "green" (up is green)."""

    def read() -> str:
        with reading(wiring.engine) as session:
            return fact(session, f"colours:{actor.user_id}") or COLOURS[0]

    return changes.briefly(wiring, ("colours", actor.user_id), read)


def set_colours(wiring: Wiring, actor: Actor, chosen: str) -> None:
    """Keep which colour means up for this person."""
    if actor.user_id is not None and chosen in COLOURS:
        with writing(wiring.engine) as session:
            set_fact(session, f"colours:{actor.user_id}", chosen)
        changes.forget()


def signed_in(engine: Engine, clock: Clock, token: str | None) -> SignedIn | None:
    """The live session of a cookie, or None."""
    if not token:
        return None
    with reading(engine) as session:
        return find_session(session, token, clock.wall_now())


def note_activity(engine: Engine, clock: Clock, who: SignedIn) -> None:
    """Keep the session alive because the person acted; at most one write per half minute."""
    now = clock.wall_now()
    if now - who.last_seen_at >= TOUCH_EVERY:
        with writing(engine) as session:
            touch_session(session, who.session_id, now)


def sign_out(engine: Engine, clock: Clock, token: str) -> None:
    """Revoke the session of `token`: every tab of this browser is out."""
    with writing(engine) as session:
        now = clock.wall_now()
        who = find_session(session, token, now)
        revoke_session(session, token, now)
        if who is not None:
            audit.record(
                session,
                now,
                actor=f"user:{who.user_id}",
                actor_user_id=who.user_id,
                action="session.end",
                target=f"user:{who.user_id}",
                source="console",
            )
