"""Rows for the store, as the outbox carries them: JSON whose keys are the store's column names.

Decimals travel as text, moments as ISO text with offset; `bots/sync.py` puts them into tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bots.journal import Event, Outgoing
from bots.orders import DeskOrder, RecordedFill
from shared.domain.instrument import Instrument
from shared.domain.market import Bar
from shared.domain.signal import Decision, SignalType

ORDERS, EVENTS, FILLS = "orders", "order_events", "fills"
SIGNALS, DECISIONS, LOGS, ALERTS = "signals", "decisions", "logs", "alerts"
EQUITY, BARS, PROFITS, JOBS = "equity", "bars", "profits", "jobs"
PROPOSALS = "proposals"
STREAMS = (ORDERS, EVENTS, FILLS, SIGNALS, DECISIONS, LOGS, ALERTS, EQUITY, BARS, PROFITS, JOBS, PROPOSALS)


def encode(values: Mapping[str, Any]) -> str:
    """Serialise one row; anything JSON has no word for becomes text."""
    return json.dumps(values, default=_text, ensure_ascii=False, separators=(",", ":"))


def plain(value: Decimal) -> str:
    """The number without exponent or empty decimals: brokers pad prices ("131.94000000")."""
    return format(value.normalize(), "f")


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)


def order(one: DeskOrder, wall: datetime, raw: str = "") -> Outgoing:
    request = one.request
    values: dict[str, Any] = {
        "client_order_id": one.id, "rule_id": request.rule_id, "version_id": one.version_id,
        "broker_order_id": one.broker_order_id, "symbol": one.symbol, "side": one.side, "qty": one.quantity,
        "price": one.price, "order_type": request.order_type, "time_in_force": request.time_in_force,
        "venue": request.venue, "currency": request.currency, "status": one.status, "filled_qty": one.filled_quantity,
        "avg_fill_price": one.average_fill_price, "reason": one.note or request.reason,
        "origin": "rule" if request.rule_id is not None else "operator", "placed_at": one.created_at,
        "updated_at": wall, "trade_date": one.trade_date.isoformat(),
        "session": request.session,
    }  # fmt: skip
    # What another host needs to go on with the order, should the account move (bots/handover.py).
    values["raw"] = {
        "signal": request.signal_key, "asked": [request.quantity, request.price], "reduces": request.reduces,
        "market_at": one.market_at, "sent_at": one.sent_at, "closed_at": one.closed_at, "org_no": one.org_no,
        "cancel_at": one.cancel_requested_at, "amending": one.amend_pending,
        **({"answer": raw} if raw else {}),
    }  # fmt: skip
    return Outgoing(ORDERS, one.id, encode(values))


def event(one: Event) -> Outgoing:
    values = {
        "client_order_id": one.client_order_id, "at": one.wall_at, "event": one.kind,
        "from_status": one.from_status, "to_status": one.to_status, "note": one.why,
    }  # fmt: skip
    return Outgoing(EVENTS, one.client_order_id, encode(values))


def fill(one: RecordedFill, currency: str, realized_pnl: Decimal | None, wall: datetime) -> Outgoing:
    values = {
        "client_order_id": one.client_order_id, "execution_id": one.execution_id, "symbol": one.symbol,
        "side": one.side, "qty": one.quantity, "price": one.price, "currency": currency,
        "realized_pnl": realized_pnl, "filled_at": one.filled_at, "recorded_at": wall,
    }  # fmt: skip
    return Outgoing(FILLS, one.execution_id, encode(values))


def alert(kind: str, severity: str, dedup_key: str, wall: datetime, **params: object) -> Outgoing:
    values = {"kind": kind, "severity": severity, "dedup_key": dedup_key, "params": params, "created_at": wall}
    return Outgoing(ALERTS, dedup_key, encode(values))


def alert_over(dedup_key: str, wall: datetime) -> Outgoing:
    """What an alert spoke of is over; a key that ends in `*` ends all that begin so."""
    return Outgoing(ALERTS, dedup_key, encode({"over": True, "dedup_key": dedup_key, "created_at": wall}))


def log(level: str, message: str, wall: datetime, rule_id: int | None = None, **ctx: object) -> Outgoing:
    values = {"level": level, "message": message, "rule_id": rule_id, "ctx": ctx, "created_at": wall}
    return Outgoing(LOGS, "", encode(values))


def signal(decision: Decision, kind: SignalType, wall: datetime) -> Outgoing:
    values = {
        "rule_id": decision.rule_id, "type": kind, "score": decision.score, "signal_key": decision.signal_key,
        "payload": {
            "symbol": decision.symbol, "reason": decision.reason, "version_id": decision.version_id,
            "market_at": decision.at, "steps": steps(decision),
        },
        "created_at": wall,
    }  # fmt: skip
    return Outgoing(SIGNALS, decision.signal_key or "", encode(values))


def steps(decision: Decision) -> list[dict[str, Any]]:
    return [
        {"path": s.path, "label": s.label, "left": s.left, "operator": s.operator, "right": s.right, "truth": s.truth}
        for s in decision.steps
    ]


def bar(one: Bar) -> Outgoing:
    values = {
        "symbol": one.symbol, "timeframe": one.timeframe, "start": one.start, "open": one.open, "high": one.high,
        "low": one.low, "close": one.close, "volume": one.volume,
    }  # fmt: skip
    return Outgoing(BARS, one.symbol, encode(values))


def instrument(one: Instrument, wall: datetime) -> dict[str, Any]:
    """A snapshot row: the last one told wins."""
    return {
        "symbol": one.symbol, "venue": one.venue, "currency": one.currency, "type": one.type, "board": one.board,
        "name": one.name, "name_en": one.name_en, "fetched_at": wall.isoformat(),
    }  # fmt: skip
