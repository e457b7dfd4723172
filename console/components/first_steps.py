"""What a new desk still lacks until its first bot trades: one line per step, the next one with a link."""

from __future__ import annotations

import streamlit as st

from console.components.figures import Html, join, mark, safe, span
from console.components.frame import t
from console.components.table import link
from console.services.overview import Overview


def first_steps(view: Overview, rules: int, running_rules: int) -> None:
    """Draw the checklist; nothing once every step is done."""
    first = view.lines[0].id if view.lines else None
    account = f"/account?account={first}" if first is not None else "/account-new"
    steps = [
        ("account", bool(view.lines), "/account-new"),
        ("keys", any(line.has_keys for line in view.lines), account),
        ("rule", bool(rules and running_rules), "/rules"),
        ("start", any(line.enabled for line in view.lines), account),
        ("beat", any(line.heartbeat_age_s is not None for line in view.lines), "/system"),
    ]
    if all(done for _, done, _ in steps):
        return
    upcoming = next(index for index, (_, done, _) in enumerate(steps) if not done)
    rows = [_row(name, done, index == upcoming, path) for index, (name, done, path) in enumerate(steps)]
    st.html(
        join(
            Html(f'<div class="lt-steps" data-table="steps"><strong>{safe(t("steps.title"))}</strong><ol>'),
            *rows,
            Html("</ol></div>"),
        )
    )


def _row(name: str, done: bool, is_next: bool, path: str) -> Html:
    if done:
        return join(
            Html("<li>"), mark("fine", t("steps.done")), " ", span("lt-soft", t(f"steps.{name}")), Html("</li>")
        )
    state = mark("watch", t("steps.next")) if is_next else mark("off", t("steps.later"))
    named = link(path, t(f"steps.{name}")) if is_next else span("", t(f"steps.{name}"))
    return join(Html("<li>"), state, " ", named, span("lt-sub", t(f"steps.{name}.how")), Html("</li>"))
