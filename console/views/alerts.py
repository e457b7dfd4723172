"""알림: what waits for a person, and saying that it was seen."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import row_choice
from console.components.drawn import once
from console.components.figures import UNKNOWN, age, clock, join, mark, moment, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.rows import account_cell
from console.components.table import Column, table, table_markup
from console.services import alert_timeline, alerts
from console.services.alerts import AlertLine
from console.services.permissions import Action
from shared.words import alert_advice, alert_text

_TONES = {"critical": "act", "warning": "watch", "info": "off"}


@live(2)
def _open() -> None:
    columns = [
        Column(t("alerts.severity")),
        Column(t("col.account")),
        Column(t("alerts.what"), wide=True),
        Column(t("alerts.count"), numeric=True),
        Column(t("alerts.last")),
    ]
    lines, now = alerts.inbox(wiring(), me()), wiring().clock.wall_now()
    known = once(lines, "alerts", lambda: [_told(line) for line in lines])
    body = [
        [*cells, span("", age(line.last_at, now, lang()), at)] for line, (cells, at) in zip(lines, known, strict=True)
    ]
    table(columns, body, name="alerts", empty=t("empty.alerts"))


def _told(line: AlertLine) -> tuple[list[object], str]:
    """What does not grow older: all cells but the last, and the moment that the last one has."""
    cells: list[object] = [
        mark(_TONES.get(line.severity, "act"), t(f"severity.{line.severity}"), line.kind),
        account_cell(line.account_id, line.account, line.environment) if line.account_id and line.account else UNKNOWN,
        join(alert_text(line.kind, lang(), line.params), span("lt-sub", alert_advice(line.kind, lang()))),
        f"{line.count:,}",
    ]
    return cells, moment(line.last_at)


def _acknowledge() -> None:
    lines = alerts.inbox(wiring(), me())
    named = once(lines, "alert_names", lambda: {line.id: _label(line) for line in lines})
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = row_choice(t("alerts.choose"), named, "alert", where=left)
    right.button(
        t("alerts.ack"),
        key="alert_ack",
        width="stretch",
        disabled=chosen is None or not allowed(me(), Action.ALERT_ACK),
        on_click=_ack,
        args=(chosen,),
    )
    if chosen is not None:
        _timeline(chosen)


def _timeline(alert_id: int) -> None:
    """What happened around the chosen alert, oldest first."""
    columns = [
        Column(t("col.at")),
        Column(t("col.account")),
        Column(t("alerts.kind")),
        Column(t("alerts.what"), wide=True),
    ]
    body = [
        [span("lt-log", clock(one.at), moment(one.at)), one.account or UNKNOWN, t(f"moment.{one.kind}"), one.text]
        for one in alert_timeline.around(wiring(), me(), alert_id)
    ]
    st.subheader(t("alerts.timeline"))
    table(columns, body, name="incident", empty=t("empty.timeline"))


def _label(line: AlertLine) -> str:
    return f"{line.account or UNKNOWN} · {alert_text(line.kind, lang(), line.params)} · {moment(line.last_at)}"


def _ack(alert_id: int) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(lambda: alerts.acknowledge(desk, actor, alert_id), t("alerts.acked"))


def _seen() -> None:
    rows = alerts.inbox(wiring(), me(), acknowledged=True, limit=50)
    st.html(once(rows, "alerts_seen", lambda: _seen_table(rows)))


def _seen_table(rows: Sequence[AlertLine]) -> str:
    columns = [
        Column(t("col.account")),
        Column(t("alerts.what"), wide=True),
        Column(t("alerts.by")),
        Column(t("alerts.at")),
    ]
    body = [
        [
            line.account or UNKNOWN,
            alert_text(line.kind, lang(), line.params),
            line.acknowledged_by,
            moment(line.acknowledged_at),
        ]
        for line in rows
    ]
    return table_markup(columns, body, name="alerts_seen", empty=t("empty.alerts_seen"))


bar()
titled("alerts")
confirm.notice()
_open()
_acknowledge()
with st.expander(t("alerts.seen")):
    _seen()
