"""What waits for a person: account, what happened, what to do now; nothing is drawn when nothing does."""

from __future__ import annotations

import streamlit as st

from console.components.figures import Html, ago, environment_badge, join, safe, span
from console.components.frame import lang, me, t, wiring
from console.components.table import link
from console.services import alerts
from console.services.alerts import AlertLine
from console.services.overview import age_s
from shared.words import alert_advice, alert_text


def waiting(*, limit: int) -> None:
    """Draw the gravest open alerts in two columns, and the way to the rest."""
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
    known = line.account and line.account_id is not None
    named = join(link(f"/account?account={line.account_id}", line.account), " ") if known else Html("")
    badge = join(environment_badge(line.environment, lang()), " ") if line.environment else Html("")
    now = wiring().clock.wall_now()
    times = f" ×{line.count}" if line.count > 1 else ""
    when = span("lt-soft", f" · {ago(age_s(line.last_at, now), lang())}")
    advice = alert_advice(line.kind, lang())
    told = join(named, badge, alert_text(line.kind, lang(), line.params), times, when)
    return join(told, span("lt-sub", f"→ {advice}") if advice else "")
