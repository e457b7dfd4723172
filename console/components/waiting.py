"""What waits for a person: account, what happened, what to do now; nothing is drawn when nothing does."""

from __future__ import annotations

import streamlit as st

from console.components.figures import Html, ago, environment_badge, join, length, mark, safe, span
from console.components.frame import lang, me, t, wiring
from console.components.table import link
from console.services import alerts, inbox
from console.services.alerts import AlertLine
from console.services.overview import age_s
from shared.words import alert_advice, alert_text


def waiting(*, limit: int) -> None:
    """Draw the gravest open alerts in two columns, and the way to the rest."""
    _for_a_person()
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


def _for_a_person() -> None:
    """One line: entries and deeds that wait for a yes end by themselves; the rest of the inbox does not."""
    view = inbox.matters(wiring(), me())
    if not view.count:
        return
    told: list[object] = []
    if view.proposals:
        left = min((one.expires_at - view.as_of).total_seconds() for one in view.proposals)
        ends = t("waiting.first_end", left=length(max(left, 0), lang()))
        told.append(join(mark("act", t("waiting.proposals", n=len(view.proposals))), span("lt-soft", f" ({ends})")))
    if view.looks:
        told.append(mark("act", t("waiting.looks", n=len(view.looks))))
    rest = view.count - len(view.proposals) - len(view.looks)
    if rest:
        told.append(mark("act", t("waiting.matters", n=rest)))
    parts = join(*(part for one in told for part in (one, Html(" &nbsp; "))))
    st.html(
        join(Html('<div class="lt-bar" data-table="matters">'), parts, link("/inbox", t("nav.inbox")), Html("</div>"))
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
