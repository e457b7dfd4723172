"""Entries of semi-automatic rules as their bots put them before people."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from shared.db import writing
from shared.models import Proposal
from shared.store import alerts
from tests.console.desks import Desk


def entry(desk: Desk, account: str, key: str = "signal:1", seconds: int = 120) -> int:
    """An entry of a semi-automatic rule that waits, with its alert, as a bot writes them."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        row = Proposal(
            account_id=desk.accounts[account], proposal_key=key, rule_id=1, version_id=1, symbol="AAPL", side="BUY", qty=3,
            price=Decimal("211.50"), currency="USD", status="WAITING", asked_at=now,
            expires_at=now + timedelta(seconds=seconds), updated_at=now,
        )  # fmt: skip
        session.add(row)
        alerts.raise_alert(
            session, now, kind="APPROVAL_WAITING", severity="warning", dedup_key=f"approval:{key}",
            account_id=row.account_id, params={"symbol": "AAPL", "side": "BUY", "quantity": 3, "price": "211.50"},
        )  # fmt: skip
        session.flush()
        return row.id or 0
