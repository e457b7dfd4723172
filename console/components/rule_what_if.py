"""What an edit would have done lately: asked of the research worker, shown beside the rule when it is reckoned."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, span
from console.components.frame import allowed, in_words, me, t, wiring
from console.components.table import Column, table
from console.services import what_if
from console.services.permissions import Action
from console.services.rules import Checked, RuleText
from console.services.what_if import Side


def what_if_button(account_id: int, opened: RuleText | None, checked: Checked, slot: str) -> None:
    """Queue the runs; their result appears below while the page stays."""
    edited = opened is None or checked.text != opened.version.text
    asked_now = st.button(
        t("rules.whatif", days=what_if.DAYS), key="rule_whatif", icon=":material/history:", help=t("rules.whatif_help"),
        disabled=checked.rule is None or not allowed(me(), Action.BACKTEST),
    )  # fmt: skip
    if asked_now and checked.rule is not None:
        _ask(account_id, opened.version.text if opened else None, checked.text if edited else None, slot)
    asked = st.session_state.get("whatif")
    if asked is not None and asked[0] == slot:
        _result(asked[1], asked[2])


def _ask(account_id: int, older: str | None, newer: str | None, slot: str) -> None:
    actor, desk = me(), wiring()
    texts = [text for text in (older, newer) if text is not None]

    def ask() -> None:
        ids = what_if.ask(desk, actor, account_id, texts[0] if len(texts) > 1 else None, texts[-1])
        names = ("now", "edit") if len(texts) > 1 else ("now",) if newer is None else ("edit",)
        st.session_state["whatif"] = (slot, ids, names)

    if not confirm.attempt(ask, t("rules.whatif_asked")):
        st.rerun()  # the refusal stands on top of the page


@st.fragment(run_every=2)
def _result(ids: tuple[int, ...], names: tuple[str, ...]) -> None:
    sides = what_if.result(wiring(), me(), ids)
    columns = [
        Column(""), Column(t("rules.whatif_return"), numeric=True), Column(t("rules.whatif_drawdown"), numeric=True),
        Column(t("rules.whatif_trades"), numeric=True), Column(t("rules.whatif_bars"), numeric=True),
    ]  # fmt: skip
    rows = [[t(f"rules.whatif_{name}"), *_side(side)] for name, side in zip(names, sides, strict=True)]
    table(columns, rows, name="whatif", empty=UNKNOWN)
    for problem in dict.fromkeys(side.problem for side in sides if side.problem):
        st.warning(confirm.plain(in_words(problem)), icon=":material/help:")


def _side(side: Side) -> list[object]:
    if side.open:
        return [span("lt-soft", t("rules.whatif_waiting", percent=round(side.progress * 100))), "", "", ""]
    counts = [UNKNOWN if one is None else f"{one:,}" for one in (side.trades, side.bars)]
    return [percent_of(side.return_pct), percent_of(side.max_drawdown_pct), *counts]


def percent_of(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2f}%"
