"""Why a rule did what it did: each condition with its values, then the gates in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from console.components.figures import UNKNOWN, Html, age, join, mark, span
from console.components.frame import lang, t
from console.components.table import Column, table
from shared.domain.signal import Verdict
from shared.models import DecisionRow
from shared.words import reason_text, refusal_advice

_TONES = {Verdict.BUY: "fine", Verdict.SELL: "fine", Verdict.HOLD: "off"}


def decision_table(rows: Sequence[DecisionRow], now: datetime) -> None:
    columns = [
        Column(t("col.symbol")),
        Column(t("decision.verdict")),
        Column(t("col.reason"), wide=True),
        Column(t("decision.conditions"), wide=True),
        Column(t("decision.today"), numeric=True),
        Column(t("col.age")),
    ]
    body = [
        [
            join(row.symbol, span("lt-sub", t("order.rule", rule=row.rule_id))),
            mark(_TONES.get(Verdict(row.verdict), "off"), t(f"decision.{row.verdict}")),
            join(reason_text(row.reason, lang(), row.text), span("lt-sub", _said(row)), _advice(row)),
            _steps(row),
            f"{row.counts.get(row.reason, 0):,}" if row.counts else UNKNOWN,
            age(row.updated_at, now, lang()),
        ]
        for row in rows
    ]
    table(columns, body, name="decisions", empty=t("empty.decisions"))


def _said(row: DecisionRow) -> str:
    """The writer's own sentence with its numbers; the code where there is none."""
    return row.text or row.reason


def _advice(row: DecisionRow) -> Html:
    """What to do about a refusal."""
    said = refusal_advice(row.reason, lang()) if any(gate.get("passed") is False for gate in row.gates) else ""
    return span("lt-sub", f"→ {said}") if said else Html("")


def decided(row: DecisionRow, now: datetime) -> Html:
    """One decision in a cell: what, why, how often today, when."""
    times = row.counts.get(row.reason, 0)
    often = t("decision.times", n=times) if times > 1 else ""
    word = f"{row.symbol} {t(f'decision.{row.verdict}')}: {reason_text(row.reason, lang(), row.text)}"
    when = age(row.updated_at, now, lang())
    text = row.text if lang() == "ko" else ""  # a bot writes Korean; the reason stands in the person's words above
    return join(word, span("lt-sub", " · ".join(part for part in (text, often, when) if part)))


def _steps(row: DecisionRow) -> Html:
    lines = [
        _step(str(step.get("label", "")), step.get("left"), step.get("right"), step.get("truth")) for step in row.steps
    ]
    lines += [_step(_gate(gate), gate.get("text"), None, gate.get("passed")) for gate in row.gates]
    return join(*lines) if lines else span("lt-soft", UNKNOWN)


def _gate(gate: dict[str, Any]) -> str:
    """A gate that let it pass by the guard's name, the one that did not by the refusal's."""
    code = str(gate.get("code", ""))
    return t(f"gate.{code}") if gate.get("passed") else reason_text(code, lang())


def _step(label: str, left: object, right: object, truth: object) -> Html:
    """True, false and "not enough data yet" are three answers."""
    sign = {True: "✓", False: "✗"}.get(truth, "?") if isinstance(truth, bool) or truth is None else "?"
    values = " · ".join(str(value) for value in (left, right) if value not in (None, ""))
    return join(Html("<div>"), f"{sign} {label} ", span("lt-soft", values), Html("</div>"))
