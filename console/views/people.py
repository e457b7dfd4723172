"""관리: who may do what, who is signed in where, and what was done."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.audit_table import audit_table
from console.components.bar import bar
from console.components.choices import account_filter, row_choice
from console.components.figures import UNKNOWN, age, moment, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.own_password import own_password_form
from console.components.table import Column, table
from console.components.users import manage, people_table, policy_panel
from console.services import sign_ins, users
from console.services.permissions import Action


def _people() -> None:
    rows = users.listed(wiring(), me())
    people_table(rows)
    manage(rows)
    policy_panel()


@live(5)
def _sign_ins() -> None:
    now = wiring().clock.wall_now()
    columns = [
        Column(t("signin.email")),
        Column(t("people.since")),
        Column(t("people.last_seen"), numeric=True),
        Column(t("people.ends")),
        Column(t("people.from")),
        Column(t("people.method")),
        Column(t("people.browser"), wide=True),
    ]
    body = [
        [
            row.email,
            moment(row.created_at),
            age(row.last_seen_at, now, lang()),
            moment(row.expires_at),
            row.ip or UNKNOWN,
            t(f"people.method.{row.method}"),
            span("lt-sub", row.browser),
        ]
        for row in sign_ins.listed(wiring(), me())
    ]
    table(columns, body, name="sign_ins", empty=UNKNOWN)


def _ender() -> None:
    rows = {row.id: row for row in sign_ins.listed(wiring(), me())}
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    words = {one: f"{row.email} · {moment(row.created_at)} · {row.ip}" for one, row in rows.items()}
    chosen = row_choice(t("people.choose_session"), words, "session_choice", where=left)
    right.button(
        t("people.end"), key="session_end", disabled=chosen not in rows, on_click=_end, args=(chosen,), width="stretch"
    )


def _end(session_id: int) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(lambda: sign_ins.end(desk, actor, session_id), t("people.ended"))


def _trail() -> None:
    account = account_filter()
    audit_table(sign_ins.trail(wiring(), me(), account_id=account, limit=100))


bar()
titled("people")
confirm.notice()
admin = allowed(me(), Action.AUDIT_READ)
if admin:
    st.subheader(t("people.people"))
    _people()
st.subheader(t("people.sessions"))
_sign_ins()
_ender()
with st.expander(t("password.title"), icon=":material/key:"):
    own_password_form()
if admin:
    st.subheader(t("people.audit"))
    _trail()
