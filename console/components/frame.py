"""What every page stands on: who is here, which language, the process's wiring."""

from __future__ import annotations

import threading

import streamlit as st

from console import wiring as wired
from console.gate import session_token
from console.services import changes
from console.services.people import actor_of
from console.services.permissions import MATRIX, Action, Actor
from console.wiring import Wiring
from shared import told as sentences
from shared.words import LANGS, say


def session_cookie() -> str | None:
    """The session id of this browser. Tests replace this one function: they have no cookies."""
    cookies = "; ".join(f"{name}={value}" for name, value in st.context.cookies.items())
    return session_token(cookies, wiring().settings.port)


def wiring() -> Wiring:
    return wired.current()


def me() -> Actor:
    """The person at the screen, read again on every run: pages, fragments and dialogs alike.

    Without a live session the run ends here with a way to sign in again.
    """
    desk, cookie = wiring(), session_cookie()
    actor = changes.briefly(desk, ("actor", cookie), lambda: actor_of(desk, cookie))
    if actor is None:
        _signed_out()
        st.stop()
    st.session_state["lang"] = _spoken.lang = actor.lang
    return actor


_spoken = threading.local()  # a page asks a thousand times; a session's scripts run on threads of its own


def lang() -> str:
    known: str | None = getattr(_spoken, "lang", None)
    return known or str(st.session_state.get("lang", LANGS[0]))


def t(key: str, **values: object) -> str:
    """The words of `key` in the language of the person."""
    return say(key, lang(), **values)


def in_words(text: str) -> str:
    """What a program wrote, in the language of the person."""
    return sentences.told(text, lang())


def allowed(actor: Actor, action: Action) -> bool:
    """For drawing only: the service asks the database again."""
    return actor.role in MATRIX[action]


def _signed_out() -> None:
    st.info(t("signin.ended"), icon=":material/lock:")
    st.html(f'<a class="lt-deed" href="/login" target="_self">{t("signin.again")}</a>')
