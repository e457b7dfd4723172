"""The timeline around an alert: everything of its account in order, nothing of another's."""

from __future__ import annotations

import pytest

from console.services import alert_timeline, alerts
from shared.db import writing
from shared.domain.errors import NotFound
from shared.models import Role
from shared.store.alerts import raise_alert
from tests.console.desks import Desk

US, MOCK = "미국 주식 1호", "모의 검증"


def raised(desk: Desk, account: str) -> int:
    with writing(desk.wiring.engine) as session:
        return raise_alert(
            session, desk.wiring.clock.wall_now(), kind="PRICE_SPIKE", severity="warning", dedup_key=f"t:{account}",
            account_id=desk.accounts[account], params={"symbol": "NVDA", "change_pct": "-4", "minutes": 5},
        )  # fmt: skip


def test_orders_logs_and_audit_stand_in_one_list_in_order(desk: Desk) -> None:
    alert = raised(desk, US)
    alerts.acknowledge(desk.wiring, desk.actor(Role.ADMIN), alert)
    told = alert_timeline.around(desk.wiring, desk.actor(Role.ADMIN), alert)
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert {one.kind for one in told} == {"alert", "order", "log", "audit"}
    assert any("NVDA" in one.text for one in told if one.kind == "order")
    assert {one.account for one in told} <= {US, ""}


def test_a_trader_sees_no_audit_and_no_other_account(desk: Desk) -> None:
    told = alert_timeline.around(desk.wiring, desk.actor(Role.TRADER), raised(desk, US))
    assert told and "audit" not in {one.kind for one in told}
    with pytest.raises(NotFound):
        alert_timeline.around(desk.wiring, desk.actor(Role.TRADER), raised(desk, MOCK))
    with pytest.raises(NotFound):
        alert_timeline.around(desk.wiring, desk.actor(Role.ADMIN), 999_999)
