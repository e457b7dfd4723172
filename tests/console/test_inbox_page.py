"""The inbox page: a difference of holdings is adopted, left, split or rescaled by a click."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from console import wiring as wired
from shared.db import reading, writing
from shared.models import Command, Role
from shared.store import rules
from shared.store.commands import CommandKind
from tests.console.desks import degraded_desk
from tests.console.test_pages import page_of

US = "미국 주식 1호"


def test_shares_are_split_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = degraded_desk(tmp_path)
    wired.use(desk.wiring)
    with writing(desk.wiring.engine) as session:
        columns = rules.RuleColumns("test", "AAPL", "DAY", 0, {}, {})
        rule = rules.add(session, desk.wiring.clock.wall_now(), desk.accounts[US], columns, "", "test")
        rule.enabled = True
        session.add(rule)
        rule_id = rule.id
    app = page_of(desk, Role.ADMIN, "inbox", monkeypatch)
    choice = next(one for one in app.selectbox if any("AAPL" in str(text) for text in one.options))
    choice.set_value(f"drift:{desk.accounts[US]}:AAPL").run()
    way = app.radio(key="drift_way")
    assert set(way.options) and not app.exception
    way.set_value("split").run()
    app.number_input(key=f"drift_shares_{rule_id}").set_value(4).run()
    app.button(key="accept_holding").click().run()
    assert not app.exception
    with reading(desk.wiring.engine) as session:
        asked = session.exec(select(Command).where(Command.kind == CommandKind.ACCEPT_HOLDING)).one()
    assert asked.payload == {"symbol": "AAPL", "rule_id": None, "shares": {str(rule_id): 4}}
