"""What an edit means, and the versions of a rule: compared in text and meaning, brought back as a new one."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, mark, moment
from console.components.frame import allowed, lang, me, t, wiring
from console.components.table import Column, note, table
from console.services import rules
from console.services.permissions import Action
from console.services.rule_history import Compared, compare, effect_tone, place_words
from console.services.rules import RuleText


def edit_meaning(opened: RuleText, text: str, slot: str) -> None:
    """What the edit means, and whether open positions follow it."""
    compared = compare(opened.version.text, text)
    _meaning(compared)
    if f"also_open_{slot}" not in st.session_state or st.session_state.get(f"default_{slot}") != compared.lowers_risk:
        st.session_state[f"also_open_{slot}"] = st.session_state[f"default_{slot}"] = compared.lowers_risk
    st.checkbox(t("rules.also_open"), key=f"also_open_{slot}", help=t("rules.also_open_help"))


def _meaning(compared: Compared) -> None:
    if compared.meaning is None:
        note(t("rules.unreadable"))
        return
    columns = [Column(t("rules.place"), wide=True), Column(t("rules.change"), wide=True), Column(t("rules.effect"))]
    rows = [
        [
            place_words(one.path, lang()),
            f"{UNKNOWN if one.before is None else one.before} → {UNKNOWN if one.after is None else one.after}",
            mark(effect_tone(one.effect), t(f"effect.{one.effect}")),
        ]
        for one in compared.meaning
    ]
    table(columns, rows, name="meaning", empty=t("rules.same_meaning"))


def version_table(opened: RuleText) -> None:
    with st.expander(t("rules.versions", n=len(opened.versions))):
        columns = [
            Column(t("rules.number"), numeric=True), Column(t("command.by"), wide=True), Column(t("rules.saved")),
            Column(t("rules.follows")), Column(t("rules.note"), wide=True),
        ]  # fmt: skip
        body = [
            [
                one.number, opened.names.get(one.created_by, one.created_by), moment(one.created_at),
                "✓" if one.also_open else "", one.note,
            ]
            for one in opened.versions[:20]
        ]  # fmt: skip
        table(columns, body, name="versions", empty=UNKNOWN)
        if len(opened.versions) > 1:
            _compare_versions(opened)


def _compare_versions(opened: RuleText) -> None:
    """Any two versions in text and meaning; the older one can come back as a new version."""
    texts = {one.number: one.text for one in opened.versions}
    numbers = list(texts)
    one, two = st.columns(2)
    key = f"{opened.id}_{numbers[0]}"  # a new version starts the choice afresh
    older = one.selectbox(t("rules.compare_older"), numbers, index=1, key=f"older_{key}")
    newer = two.selectbox(t("rules.compare_newer"), numbers, index=0, key=f"newer_{key}")
    compared = compare(texts[older], texts[newer])
    if not compared.text:
        note(t("rules.same"))
    else:
        note(t("rules.diff", older=older, newer=newer))
        _meaning(compared)
        st.code(compared.text, language="diff")
    st.button(
        t("rules.revert", number=older), key="rule_revert", icon=":material/undo:", help=t("rules.revert_help"),
        disabled=texts[older] == opened.version.text or not allowed(me(), Action.RULE_SAVE), on_click=_revert,
        args=(opened, older),
    )  # fmt: skip


def _revert(opened: RuleText, number: int) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(
        lambda: rules.revert(desk, actor, opened.id, number, expected_version=opened.version.number),
        t("rules.reverted"),
    )
