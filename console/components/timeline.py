"""The life of one order: every transition with its time, as the bot recorded it."""

from __future__ import annotations

from collections.abc import Sequence

from console.components.figures import clock, join, moment, span
from console.components.frame import lang, t
from console.components.rows import order_status
from console.components.table import Column, table
from shared.models import OrderEvent
from shared.words import reason_text


def timeline(events: Sequence[OrderEvent]) -> None:
    """Draw the history, oldest first; the words come from the recorded status alone."""
    columns = [
        Column(t("col.at")),
        Column(t("timeline.since"), numeric=True),
        Column(t("timeline.event")),
        Column(t("col.status")),
        Column(t("col.reason"), wide=True),
    ]
    first = events[0].at if events else None
    body = [
        [
            span("lt-log", f"{clock(one.at)}.{one.at.microsecond // 1000:03d}", moment(one.at)),
            "" if first is None else f"+{(one.at - first).total_seconds():.3f}",
            t(f"event.{one.event}"),
            _change(one),
            reason_text(one.note, lang()) if one.note else "",
        ]
        for one in events
    ]
    table(columns, body, name="timeline", empty=t("empty.timeline"))


def _change(one: OrderEvent) -> object:
    if not one.to_status:
        return ""
    if one.from_status in ("", one.to_status):
        return order_status(one.to_status)
    return join(t(f"order.{one.from_status}"), " → ", order_status(one.to_status))
