"""The fire drill on the system page: choose, start, watch, end."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.figures import clock, mark
from console.components.frame import allowed, me, t, wiring
from console.components.incident_table import incident_table
from console.components.table import facts, note
from console.services import accounts, drills, incidents
from console.services.drills import DrillLine, Running
from console.services.permissions import Action
from shared.domain.account import Environment
from shared.domain.errors import TradingError

_RUNNING = "drill_running"


def fire_drill() -> None:
    """Draw the running drill, else the choice of one."""
    st.subheader(t("drill.title"))
    st.caption(t("drill.explain"))
    try:
        known = drills.listed(wiring(), me())
    except TradingError:
        note(t("drill.away"))
        return
    running = st.session_state.get(_RUNNING)
    if isinstance(running, Running):
        _watch_it(running, next((one for one in known if one.name == running.name), None))
    else:
        _choose(known)


def _choose(known: list[DrillLine]) -> None:
    actor, desk = me(), wiring()
    mine = accounts.names(desk, actor, Environment.SIM)
    if not mine:
        note(t("drill.no_accounts"))
        return
    by_name = {one.name: one for one in known}
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    name = left.selectbox(
        t("drill.choose"), list(by_name), key="drill_name", format_func=lambda one: by_name[one].title
    )
    account = middle.selectbox(t("drill.account"), list(mine), key="drill_account", format_func=lambda one: mine[one])
    chosen = by_name.get(name or "")
    if chosen is not None:
        facts([(t("drill.does"), chosen.does), (t("drill.ends"), chosen.ends)], name="drill")
    ready = chosen is not None and account is not None and allowed(actor, Action.DRILL)
    right.button(
        t("drill.start"), key="drill_start", disabled=not ready, width="stretch", on_click=_start, args=(name, account)
    )


def _start(name: str, account: int) -> None:
    def begin() -> None:
        st.session_state[_RUNNING] = drills.start(wiring(), me(), name, account)

    confirm.attempt(begin, t("drill.started"))


def _end(running: Running) -> None:
    if confirm.attempt(lambda: drills.end(wiring(), me(), running), t("drill.ended")):
        st.session_state.pop(_RUNNING, None)


def _watch_it(running: Running, chosen: DrillLine | None) -> None:
    _progress(running, chosen)
    st.button(
        t("drill.end"), key="drill_end", type="primary", on_click=_end, args=(running,), icon=":material/stop_circle:"
    )


@st.fragment(run_every=2)
def _progress(running: Running, chosen: DrillLine | None) -> None:
    actor, desk = me(), wiring()
    try:
        told = drills.struck(desk, actor, running)
    except TradingError as error:
        confirm.show(error)
        return
    title = chosen.title if chosen else running.name
    facts(
        [
            (t("drill.running"), mark("watch", title)),
            (t("col.account"), accounts.names(desk, actor).get(running.account_id, f"#{running.account_id}")),
            (t("drill.began"), clock(running.began_at)),
            (t("drill.fired"), f"{told.fired:,}"),
            (t("drill.standing"), f"{told.standing:,}"),
        ],
        name="drill_running",
    )
    if chosen is not None:
        note(f"{chosen.does} · {chosen.ends}")
    st.markdown(f"**{t('drill.since')}**")
    happened = incidents.since(desk, actor, running.began_at, account_id=running.account_id, limit=30)
    incident_table(happened, empty=t("drill.nothing_yet"))
