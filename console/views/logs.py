"""로그·사건: what the bots say as it arrives, a search through all of it, and incidents in one line of time."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from console.components.bar import bar
from console.components.choices import account_filter
from console.components.figures import moment
from console.components.frame import me, t, wiring
from console.components.help import titled
from console.components.incident_table import incident_table
from console.components.live import live
from console.components.rows import log_table
from console.components.table import note
from console.services import incidents, logs
from console.services.incidents import Kind
from shared.models import Role
from shared.store.panels import LogFilter

_MODES = ("live", "search", "incidents")
_SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


@live(2)
def _live(account_id: int | None, levels: frozenset[str], text: str) -> None:
    rows = logs.newest(wiring(), me(), LogFilter(levels=levels, text=text), account_id=account_id)
    log_table(rows)
    if len(rows) == logs.LIMIT:
        note(t("logs.limit", n=logs.LIMIT))


def _search(account_id: int | None, wanted: LogFilter) -> None:
    """Page by page, as far back as there is anything; what is asked anew begins at the newest again."""
    asked = (account_id, wanted)
    if st.session_state.get("log_asked") != asked:
        st.session_state["log_asked"], st.session_state["log_pages"] = asked, [None]
    pages = st.session_state["log_pages"]
    found = logs.page(
        wiring(), me(), LogFilter(wanted.levels, wanted.text, wanted.rule_id, before=pages[-1]), account_id=account_id
    )
    log_table(found.rows)
    note(t("logs.reached", at=moment(found.reached)) if found.below else t("logs.all_searched"))
    back, forth, _ = st.columns([1, 1, 3])
    if back.button(t("logs.first"), key="log_first", disabled=len(pages) == 1, width="stretch"):
        st.session_state["log_pages"] = [None]
        st.rerun()
    if forth.button(t("logs.next"), key="log_next", disabled=not found.below, width="stretch"):
        pages.append(found.below)
        st.rerun()


@live(5)
def _incidents(account_id: int | None, span: str, kinds: frozenset[Kind]) -> None:
    asked = kinds or frozenset(Kind)
    incident_table(incidents.timeline(wiring(), me(), _SPANS[span], account_id=account_id, kinds=asked))


def _logs(mode: str, account: int | None) -> None:
    second, third, fourth = st.columns([2, 2, 1], vertical_alignment="bottom")
    chosen = second.pills(t("col.level"), logs.LEVELS, selection_mode="multi", key="levels")
    text = third.text_input(t("logs.search"), key="log_text", max_chars=80).strip()
    levels = frozenset(chosen or ())
    if mode == "live":
        _live(account, levels, text)
        return
    rule = fourth.text_input(t("logs.rule"), key="log_rule", max_chars=9).strip()
    _search(account, LogFilter(levels=levels, text=text, rule_id=int(rule) if rule.isdigit() else None))


def _timeline(account: int | None) -> None:
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    span = left.segmented_control(
        t("incident.span"), list(_SPANS), default="day", required=True, key="incident_span",
        format_func=lambda one: t(f"incident.span.{one}"),
    )  # fmt: skip
    offered = [one for one in Kind if one is not Kind.DEED or me().role is Role.ADMIN]
    kinds = right.pills(
        t("incident.kind"), offered, selection_mode="multi", key="incident_kinds",
        format_func=lambda one: t(f"incident.kind.{one}"),
    )  # fmt: skip
    _incidents(account, span or "day", frozenset(kinds or ()))


bar()
titled("logs")
first, modes = st.columns([2, 3], vertical_alignment="bottom")
with first:
    account = account_filter()
if "log_mode" not in st.session_state:
    asked = st.query_params.get("view", "")
    st.session_state["log_mode"] = asked if asked in _MODES else _MODES[0]
mode = modes.segmented_control(
    t("logs.mode"), _MODES, required=True, key="log_mode", format_func=lambda one: t(f"logs.mode.{one}")
)
st.query_params["view"] = str(mode or _MODES[0])
if mode == "incidents":
    _timeline(account)
else:
    _logs(mode or "live", account)
