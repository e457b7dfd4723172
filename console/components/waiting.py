"""What waits for a person; nothing is drawn when nothing does."""

from __future__ import annotations

import streamlit as st

from console.components.figures import Html, ago, environment_badge, join, safe, span
from console.components.frame import lang, me, t, wiring
from console.components.table import link
from console.services import alerts
from console.services.alerts import AlertLine
from console.services.overview import age_s
from shared.words import alert_text


def waiting(*, limit: int) -> None:
    """Draw the gravest open alerts, each with its account, what happened and the way to the inbox."""
    lines = [line for line in alerts.inbox(wiring(), me(), limit=100) if line.severity != "info"]
    if not lines:
        return
    tone = "" if any(line.severity == "critical" for line in lines) else " lt-mild"
    body = "".join(f"<div>{_sentence(line)}</div>" for line in lines[:limit])
    more = link("/alerts", t("waiting.all", n=len(lines)))
    st.html(
        f'<div class="lt-waiting{tone}" role="status" data-table="waiting"><strong>{safe(t("waiting.title"))} '
        f"{len(lines)} {more}</strong>{body}</div>"
    )


def _sentence(line: AlertLine) -> Html:
    who = join(line.account, " ", environment_badge(line.environment, lang()), " ") if line.account else Html("")
    now = wiring().clock.wall_now()
    times = f" ×{line.count}" if line.count > 1 else ""
    return join(
        who,
        alert_text(line.kind, lang(), line.params),
        times,
        span("lt-soft", f" · {ago(age_s(line.last_at, now), lang())}"),
    )
