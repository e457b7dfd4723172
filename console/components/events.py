"""Recent orders and alerts in one table, for the first screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.components.figures import KST, UNKNOWN, Html, clock, join, mark, moment, price, span
from console.components.frame import lang, t, wiring
from console.components.rows import account_cell, below, called, order_status, side_word
from console.components.table import Column, table_markup
from console.services.alerts import AlertLine
from console.services.events import Event
from console.services.orders import OrderLine
from shared.words import alert_text, reason_text

_TONES = {"critical": "act", "warning": "watch"}


def event_table(rows: Sequence[Event]) -> str:
    """The table as markup: many look at the same rows."""
    columns = [
        Column(t("col.at")),
        Column(t("col.account")),
        Column(t("col.event"), wide=True),
        Column(t("col.status")),
        Column(t("col.filled"), numeric=True),
        Column(t("col.price"), numeric=True),
    ]
    body = [_order(row.order) if row.order is not None else _alert(row.alert) for row in rows if row.order or row.alert]
    return table_markup(columns, body, name="recent_orders", empty=t("empty.events"))


def _order(row: OrderLine) -> list[object]:
    why = below(called(row.symbol, row.currency), reason_text(row.reason, lang(), row.reason) if row.reason else "")
    return [
        _when(row.placed_at),
        account_cell(row.account_id, row.account, row.environment),
        join(row.symbol, " ", side_word(row.side), why),
        order_status(row.status),
        f"{row.filled_qty:,} / {row.qty:,}",
        price(row.price, row.currency) if row.price is not None else t(f"type.{row.order_type}"),
    ]


def _alert(row: AlertLine | None) -> list[object]:
    assert row is not None
    who = account_cell(row.account_id, row.account, row.environment) if row.account_id and row.account else UNKNOWN
    times = f" ×{row.count}" if row.count > 1 else ""
    level = mark(_TONES.get(row.severity, "off"), t(f"severity.{row.severity}"))
    return [_when(row.last_at), who, join(alert_text(row.kind, lang(), row.params), times), level, "", ""]


def _when(at: datetime) -> Html:
    """The time of day; of another day its date too."""
    today = wiring().clock.wall_now().astimezone(KST).date()
    return span("", clock(at) if at.astimezone(KST).date() == today else moment(at)[:-3], moment(at))
