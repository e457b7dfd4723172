"""Decisions that outlive the process: as facts of the journal and back."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from bots import outgoing
from shared.domain.order import OrderType
from shared.domain.signal import Decision, Verdict


def keep(decision: Decision, **more: object) -> str:
    """The decision as text, steps left out, with whatever else its keeper needs."""
    return outgoing.encode(
        {
            "rule_id": decision.rule_id, "symbol": decision.symbol, "verdict": decision.verdict,
            "reason": decision.reason, "at": decision.at, "key": decision.signal_key,
            "version_id": decision.version_id, "score": decision.score, "quantity": decision.quantity,
            "limit_price": decision.limit_price, "order_type": decision.order_type, **more,
        }
    )  # fmt: skip


def read(rule_id: int, symbol: str, body: str) -> tuple[Decision, dict[str, Any]]:
    """The decision and everything that was kept with it."""
    kept: dict[str, Any] = json.loads(body)
    price, order_type = kept.get("limit_price"), kept.get("order_type")
    decision = Decision(
        rule_id=rule_id, version_id=kept["version_id"], symbol=symbol, verdict=Verdict(kept["verdict"]),
        reason=kept["reason"], at=datetime.fromisoformat(kept["at"]), score=kept["score"], signal_key=kept["key"],
        quantity=kept.get("quantity"), limit_price=Decimal(price) if price else None,
        order_type=OrderType(order_type) if order_type else None,
    )  # fmt: skip
    return decision, kept
