"""Incidents in one table: when, whose, what, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence

from console.components.audit_table import what, who
from console.components.figures import UNKNOWN, Html, join, mark, moment, span
from console.components.frame import in_words, lang, t
from console.components.rows import account_cell, order_status, side_word
from console.components.table import Column, table
from console.services.incidents import Incident, Kind
from shared.store.commands import OPEN_COMMANDS, CommandStatus
from shared.words import alert_advice, alert_text, deed_text, reason_text

_TONES = {"critical": "act", "warning": "watch", "info": "off"}


def incident_table(rows: Sequence[Incident], *, empty: str = "") -> None:
    columns = [
        Column(t("col.at")),
        Column(t("incident.kind")),
        Column(t("col.account")),
        Column(t("incident.what"), wide=True),
        Column(t("incident.state")),
    ]
    body = [
        [
            span("lt-log", moment(one.at)),
            mark(_TONES.get(one.severity, "off"), t(f"incident.kind.{one.kind}")),
            account_cell(one.account_id, one.account, one.environment) if one.account_id and one.account else UNKNOWN,
            _what(one),
            _state(one),
        ]
        for one in rows
    ]
    table(columns, body, name="incidents", empty=empty or t("empty.incidents"))


def _what(one: Incident) -> Html:
    match one.kind:
        case Kind.ALERT:
            advice = alert_advice(one.code, lang())
            return join(alert_text(one.code, lang(), one.params), span("lt-sub", f"→ {advice}") if advice else "")
        case Kind.ORDER:
            why = reason_text(one.text, lang(), one.text) if one.text else ""
            told = join(one.params["symbol"], " ", side_word(one.params["side"]), f" {one.params['qty']:,}")
            return join(told, span("lt-sub", why) if why else "")
        case Kind.COMMAND:
            return join(t(f"command.{one.code}"), span("lt-sub", who(one.by, {})))
        case Kind.DEED:
            names = one.params["names"]
            about = what(one.params["of"], names) if one.params["of"] else ""
            target = " · ".join(part for part in (about, in_words(one.text)) if part)
            return join(
                who(one.by, names), " · ", deed_text(one.code, lang()), span("lt-sub", target) if target else ""
            )
    return join(in_words(one.text))


def _state(one: Incident) -> object:
    if one.kind is Kind.ORDER:
        return order_status(one.code)
    if one.kind is Kind.COMMAND:
        status = CommandStatus(one.params["status"])
        tone = "watch" if status in OPEN_COMMANDS else "fine" if status is CommandStatus.DONE else "act"
        return mark(tone, t(f"command.{status}"))
    if one.kind is Kind.ALERT:
        if one.until:
            return t("incident.seen", at=moment(one.until))
        return "" if one.severity == "info" else mark("watch", t("incident.open"))
    return ""
