"""The back office: an approval to trade with real money ends on its hour, whether the store answers or not."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bots.back_office import BackOffice
from bots.journal import Outgoing
from bots.parts import StateBox
from bots.risk.kill_switch import KillSwitch
from shared.domain.account import Environment
from shared.domain.bot_state import KillLevel
from tests.fakes import START, FakeClock


async def test_an_approval_that_ran_out_stops_entries_once_and_says_so_without_the_store(tmp_path: Path) -> None:
    clock, switch, told = FakeClock(), KillSwitch(tmp_path / "kill", tmp_path / "account"), list[Outgoing]()
    parts = SimpleNamespace(
        key=SimpleNamespace(environment=Environment.LIVE), clock=clock, kill_switch=switch, state=StateBox(),
        config=SimpleNamespace(armed_until=START + timedelta(hours=8)),
    )  # fmt: skip
    office = BackOffice(cast(Any, parts), told.extend, lambda: None)
    office.check_arms()
    assert switch.level() is KillLevel.RUN and told == []
    clock.pass_s(8 * 3600)
    office.check_arms()
    office.check_arms()
    assert switch.level() is KillLevel.NO_NEW
    assert [json.loads(row.body)["kind"] for row in told] == ["ARMED_EXPIRED"]
