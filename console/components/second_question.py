"""The second question of a deed that changes what may happen: whose, what exactly changes, why; then its verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from console.components import confirm
from console.components.figures import Html, environment_badge, join
from console.components.frame import lang, t
from console.components.table import Column, table


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the preview, in words."""

    item: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked a second time. `deed` gets the reason; `typed` is the name that must be typed, "" for none."""

    title: str
    whose: str
    environment: str  # "" where it belongs to no account
    changes: Sequence[Change]
    verb: str
    done: str
    deed: Callable[[str, str], object]  # (reason, the name as typed)
    effect: str = ""
    typed: str = ""


def ask(question: Question) -> None:
    """Open it: from a callback, after what was typed could be read."""
    confirm.open_dialog("second", question=question)


def second_question() -> None:
    """Draw the open one, if any; each page that asks calls this once, last."""
    values = confirm.opened("second")
    if values is not None:
        question: Question = values["question"]
        st.dialog(question.title, on_dismiss=confirm.close)(_draw)(question)


def _draw(question: Question) -> None:
    badge = environment_badge(question.environment, lang()) if question.environment else ""
    st.html(join(Html("<strong>"), question.whose, Html("</strong> "), badge))
    st.markdown(question.effect or t("second.effect"))
    columns = [Column(t("second.item"), wide=True), Column(t("second.before"), numeric=True), Column(t("second.after"), numeric=True)]  # fmt: skip
    body = [[one.item, one.before, one.after] for one in question.changes if one.before != one.after]
    if question.changes:
        table(columns, body, name="second", empty=t("second.nothing"))
    typed = ""
    if question.typed:
        typed = st.text_input(t("field.confirm_name"), key="second_name", live=True, autocomplete="off")
    reason = st.text_input(t("field.reason"), key="second_reason", live=True, max_chars=200).strip()
    ready = bool(reason) and typed == question.typed and bool(body or not question.changes)
    if st.button(question.verb, key="second_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(lambda: question.deed(reason, typed), question.done)
    confirm.cancel_button()
