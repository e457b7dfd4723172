"""The account page: what is dangerous asks a second time, and what refreshes stands still meanwhile."""

from __future__ import annotations

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from console.services import accounts
from shared.db import reading
from shared.models import AuditLog, BrokerageAccount, Role
from tests.console.desks import Desk
from tests.console.test_pages import html_of, page_of

LIVE, US = "본계좌", "미국 주식 1호"


def account_page(desk: Desk, name: str, role: Role, monkeypatch: pytest.MonkeyPatch, section: str = "") -> AppTest:
    app = page_of(desk, role, "account", monkeypatch)
    app.selectbox(key="account").set_value(desk.accounts[name])
    app.run()
    if section:
        app.session_state["section"] = section
        app.run()
    return app


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click()
    app.run()
    assert not app.exception


def row(desk: Desk, name: str) -> BrokerageAccount:
    return accounts.detail(desk.wiring, desk.actor(Role.ADMIN), desk.accounts[name])


def test_a_live_account_is_armed_by_its_name_its_last_digits_and_a_reason(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = account_page(desk, LIVE, Role.ADMIN, monkeypatch)
    press(app, "arm")
    assert 'data-table="arm_limits"' in html_of(app)
    last4 = row(desk, LIVE).last4
    for key, value in (("arm_name", LIVE), ("arm_reason", "첫 실전"), ("arm_last4", "0000")):
        app.text_input(key=key).set_value(value)
    app.run()
    assert app.button(key="arm_do").disabled
    app.text_input(key="arm_last4").set_value(last4)
    app.run()
    press(app, "arm_do")
    until = row(desk, LIVE).armed_until
    assert until is not None
    assert 7.9 < (until - desk.wiring.clock.wall_now()).total_seconds() / 3600 <= 8
    press(app, "disarm")
    app.text_input(key="second_reason").set_value("끝")
    app.run()
    press(app, "second_do")
    assert row(desk, LIVE).armed_until is None


def test_only_an_admin_arms_and_a_demo_account_has_no_such_button(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [one for one in account_page(desk, US, Role.ADMIN, monkeypatch).button if one.key == "arm"]
    app = page_of(desk, Role.VIEWER, "account", monkeypatch)
    assert all(one.disabled for one in app.button if one.key in {"arm", "start", "stop", "ticket_open"})


def test_limits_are_saved_after_the_second_answer_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = account_page(desk, US, Role.ADMIN, monkeypatch, "settings")
    before = row(desk, US).max_daily_buy
    app.text_input(key=f"limit_max_daily_buy_{desk.accounts[US]}").set_value("12,345")
    press(app, "limit_save")
    assert "$12,345.00" in html_of(app) and row(desk, US).max_daily_buy == before
    assert app.button(key="second_do").disabled  # no reason yet
    app.text_input(key="second_reason").set_value("줄임")
    app.run()
    press(app, "second_do")
    assert row(desk, US).max_daily_buy == 12_345
    with reading(desk.wiring.engine) as session:
        assert session.exec(select(AuditLog.reason).where(AuditLog.action == "account.limits")).all() == ["줄임"]


def test_new_keys_are_sealed_after_the_second_answer_and_leave_the_form(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = account_page(desk, US, Role.ADMIN, monkeypatch, "credentials")
    typed = {
        "set_app_key": "PSNEWER1234567",
        "set_app_secret": "SECRETNEWER1234",  # pragma: allowlist secret
        "set_account_no": "99990000-01",
    }
    for key, value in typed.items():
        app.text_input(key=key).set_value(value)
    press(app, "set_submit")
    drawn = html_of(app)
    assert "새 값 (봉인)" in drawn and not [value for value in typed.values() if value in drawn]
    app.text_input(key="second_reason").set_value("교체")
    app.run()
    press(app, "second_do")
    assert row(desk, US).last4 == "0000"
    assert app.text_input(key="set_app_key").value == ""


def test_an_account_that_runs_cannot_be_archived(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = account_page(desk, US, Role.ADMIN, monkeypatch, "settings")
    press(app, "archive")
    app.text_input(key="second_name").set_value(US)
    app.text_input(key="second_reason").set_value("정리")
    app.run()
    press(app, "second_do")
    assert app.error and row(desk, US).archived_at is None


def test_panels_stand_still_while_a_question_is_open_and_say_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = account_page(desk, US, Role.ADMIN, monkeypatch)
    assert "갱신 멈춤" not in html_of(app)
    press(app, "stop")
    assert html_of(app).count("갱신 멈춤") == 2  # the head and the summary; the bar on top goes on
    press(app, "dialog_back")
    assert "갱신 멈춤" not in html_of(app)
