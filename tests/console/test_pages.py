"""Every page × role × desk is drawn; nothing is invented, nothing untranslated, nothing typed by others runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from console.components import frame
from shared.db import reading, writing
from shared.domain.account import BrokerName, Market
from shared.models import Role, User
from shared.store.sessions import start_session
from tests.console.conftest import STATES
from tests.console.desks import Desk, beat_again

APP = Path(__file__).resolve().parents[2] / "console" / "app.py"
PAGES = (
    "control", "inbox", "account", "positions", "orders", "risk", "rules", "research", "alerts", "logs", "account_new",
    "profit", "market", "system", "people", "schedule", "help",
)  # fmt: skip
HANGUL = re.compile("[가-힣]")


def page_of(desk: Desk, role: Role, page: str, monkeypatch: pytest.MonkeyPatch, lang: str = "ko") -> AppTest:
    """Draw `page` for a person of that role."""
    with writing(desk.wiring.engine) as session:
        user = session.get(User, desk.users[role])
        assert user is not None
        user.lang = lang
        session.add(user)
        token = start_session(session, desk.users[role], desk.wiring.clock.wall_now(), ip="", user_agent="")
    monkeypatch.setattr(frame, "session_cookie", lambda: token)
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.run()
    beat_again(desk)  # however long the first drawing took: a silent bot is one more matter of the page
    if page != "control":
        app.switch_page(f"views/{page}.py")
        app.run()
    return app


def rules_as_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The rules page of a person who writes YAML."""
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    app.session_state["rule_way"] = "text"
    app.run()
    return app


def html_of(app: AppTest) -> str:
    """Everything drawn as HTML, in order."""
    return "\n".join(str(block.proto.body) for block in app.get("html"))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_drawn_for_every_role_on_every_desk(
    page: str, role: Role, state: str, desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk_in(state), role, page, monkeypatch)
    assert not app.exception
    drawn = html_of(app)
    assert 'data-table="bar"' in drawn
    assert "<img src=x" not in drawn and "<script" not in drawn  # what others typed is shown, never run
    locked = page == "account_new" and role is not Role.ADMIN
    assert bool(app.info) == locked


@pytest.mark.parametrize("page", [page for page in PAGES if page != "help"])  # guides name brokers in Korean too
def test_an_english_page_holds_no_korean_but_what_people_typed(
    page: str, desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk_in("empty"), Role.ADMIN, page, monkeypatch, lang="en")
    drawn = html_of(app) + " ".join(
        str(getattr(element, "label", "")) + str(getattr(element, "value", "") or "")
        for kind in (
            "title",
            "subheader",
            "caption",
            "markdown",
            "button",
            "text_input",
            "selectbox",
            "text_area",
            "info",
        )
        for element in app.get(kind)
    )
    assert not HANGUL.findall(drawn.replace("한국어", ""))


TYPED = ("미국 주식 1호", "국내 단타", "모의 검증", "본계좌", "첫 실전", "점검", "한국어")


@pytest.mark.parametrize("page", [page for page in PAGES if page != "help"])
def test_an_english_page_of_a_desk_in_trouble_holds_no_korean_but_names(
    page: str, desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = html_of(page_of(desk_in("degraded"), Role.ADMIN, page, monkeypatch, lang="en"))
    for name in TYPED:
        drawn = drawn.replace(name, "")
    assert not re.findall("[^<>]*[가-힣][^<>]*", drawn)


def test_an_empty_desk_says_what_to_do_first(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = html_of(page_of(desk_in("empty"), Role.ADMIN, "control", monkeypatch))
    steps = drawn[drawn.index('data-table="steps"') :]
    assert steps.index("계좌 등록") < steps.index("규칙 만들고 켜기") < steps.index("봇이 살아 있음")
    assert 'href="/account-new"' in steps
    assert 'data-table="steps"' not in html_of(page_of(desk_in("normal"), Role.ADMIN, "control", monkeypatch))


def test_nothing_is_drawn_without_a_session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "session_cookie", lambda: "made-up")
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.run()
    assert "/login" in html_of(app)
    assert "data-table" not in html_of(app)
    assert not app.button


def test_a_revoked_session_draws_nothing_on_the_next_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "control", monkeypatch)
    next(one for one in app.button if one.key == "signout").click()
    app.run()
    assert "data-table" not in html_of(app)


def test_accounts_in_trouble_stand_first(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = html_of(page_of(desk_in("degraded"), Role.ADMIN, "control", monkeypatch))
    table = drawn[drawn.index('data-table="accounts"') :]
    assert table.index("국내 단타") < table.index("미국 주식 1호")  # silent before exits-only
    assert "응답 없음" in table and "세워 둠" in table and "보호 안 됨" in table


def test_unknown_money_is_a_dash_and_never_zero(
    desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = html_of(page_of(desk_in("degraded"), Role.ADMIN, "control", monkeypatch))
    sums = drawn[drawn.index('data-table="sums"') : drawn.index('data-table="accounts"')]
    assert "<b>—</b>" in sums
    assert "₩0" not in drawn and "$0.00" not in drawn


def test_text_from_elsewhere_is_shown_and_never_run(
    desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = html_of(page_of(desk_in("degraded"), Role.ADMIN, "logs", monkeypatch))
    assert "&lt;script&gt;" in drawn
    assert "<script>" not in drawn


def test_a_viewer_sees_granted_accounts_only(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = html_of(page_of(desk_in("normal"), Role.VIEWER, "control", monkeypatch))
    assert "미국 주식 1호" in drawn and "모의 검증" not in drawn


def test_registering_an_account_through_the_form(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "account_new", monkeypatch)
    for key, value in {
        "new_nickname": "새 계좌",
        "new_app_key": "PSNEWKEY12345",
        "new_app_secret": "SECRETSECRET12345",
        "new_account_no": "11112222-01",
    }.items():
        app.text_input(key=key).set_value(value)
    app.button(key="new_submit").click()
    app.run()
    assert not app.error and not app.exception
    assert app.text_input(key="new_app_key").value == ""
    with reading(desk.wiring.engine) as session:
        from shared.store.accounts import live_accounts

        made = live_accounts(session)[-1]
        assert (made.nickname, made.last4, made.enabled) == ("새 계좌", "2222", False)


def test_a_number_without_its_product_code_is_refused_by_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "account_new", monkeypatch)
    for key, value in {"new_nickname": "x1", "new_app_key": "P" * 20, "new_app_secret": "S" * 20}.items():
        app.text_input(key=key).set_value(value)
    app.text_input(key="new_account_no").set_value("12345678")
    app.button(key="new_submit").click()
    app.run()
    assert "상품코드" in app.error[0].value


def test_us_shares_at_ls_are_registered_without_a_mock_environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "account_new", monkeypatch)
    app.selectbox(key="new_broker").set_value(BrokerName.LS)
    app.selectbox(key="new_market").set_value(Market.US)
    app.run()
    assert len(app.selectbox(key="new_environment").options) == 2
    assert any("미국주식을 제공하지 않습니다" in caption.value for caption in app.caption)
    for key, value in {
        "new_nickname": "LS 미국",
        "new_app_key": "PSNEWKEYLSUS12345",
        "new_app_secret": "SECRETSECRET12345",
        "new_account_no": "20299998888",
    }.items():
        app.text_input(key=key).set_value(value)
    app.button(key="new_submit").click()
    app.run()
    assert not app.error and not app.exception
    with reading(desk.wiring.engine) as session:
        from shared.store.accounts import live_accounts

        made = live_accounts(session)[-1]
        assert (made.broker, made.market, made.environment) == ("LS", "US", "SIM")


def test_a_rule_is_written_saved_and_switched_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = rules_as_text(desk, monkeypatch)
    area = next(one for one in app.text_area if one.label == "규칙 내용 (YAML)")
    area.set_value("version: 1")
    app.run()
    assert app.error and next(one for one in app.button if one.key == "rule_save").disabled
    area = next(one for one in app.text_area if one.label == "규칙 내용 (YAML)")
    from tests.console.desks import RULE_TEXT

    area.set_value(RULE_TEXT.format(name="새 규칙", symbol="MSFT"))
    app.run()
    assert not app.error
    app.button(key="rule_save").click()
    app.run()
    app.button(key="rule_switch").click()
    app.run()
    app.button(key="rule_switch_do").click()
    app.run()
    from console.services import rules

    mine = next(line for line in rules.listed(desk.wiring, desk.actor(Role.ADMIN)) if line.name == "새 규칙")
    assert (mine.enabled, mine.symbol, mine.version) == (True, "MSFT", 1)


def test_a_preset_with_its_values_and_a_size_by_atr_becomes_a_rule(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.services import rules

    app = rules_as_text(desk, monkeypatch)
    slot = next(one.key for one in app.selectbox if one.label == "프리셋").removeprefix("preset_")
    app.selectbox(key=f"preset_{slot}").set_value("rsi")
    app.run()
    assert not app.exception and "과매도" in "".join(one.value for one in app.markdown)
    app.number_input(key=f"knob_{slot}_rsi_period").set_value(9)
    app.button(key=f"preset_use_{slot}").click()
    app.run()
    assert "period: {default: 9," in app.text_area(key=f"rule_text_{slot}").value
    assert app.error  # nothing says yet how much to buy, and of what
    app.selectbox(key=f"sizing_{slot}").set_value("risk_atr")
    app.run()
    app.number_input(key=f"size_risk_atr_{slot}").set_value(0.5)
    app.button(key=f"sizing_use_{slot}").click()
    app.text_input(key=f"rule_symbols_{slot}").set_value("AAPL")
    app.run()
    assert not app.exception and not app.error
    app.button(key="rule_save").click()
    app.run()
    mine = next(line for line in rules.listed(desk.wiring, desk.actor(Role.ADMIN)) if line.name == "RSI 과매도 반등")
    text = rules.opened(desk.wiring, desk.actor(Role.ADMIN), mine.id).version.text
    assert "atr_period: 14" in text and "value: 0.5" in text and "default: 9" in text


def test_the_kill_switch_takes_two_clicks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.TRADER, "control", monkeypatch)
    app.button(key="kill_open").click()
    app.run()
    app.button(key="kill_HALT").click()
    app.run()
    from console.services import overview
    from shared.domain.bot_state import KillLevel

    assert overview.overview(desk.wiring, desk.actor(Role.VIEWER)).kill is KillLevel.HALT


def test_an_edit_shows_its_meaning_is_compared_and_reverted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.services import rules
    from shared.models import BacktestRun

    admin = desk.actor(Role.ADMIN)
    app = rules_as_text(desk, monkeypatch)
    app.selectbox(key="rule").set_value(1)
    app.run()
    area = next(one for one in app.text_area if one.label == "규칙 내용 (YAML)")
    area.set_value(area.value.replace("percent: 2.0", "percent: 1.0"))
    app.run()
    assert "손절 %" in html_of(app) and "2.0 → 1.0" in html_of(app)
    follows = next(one for one in app.checkbox if one.label == "이미 가진 종목에도 적용")
    assert follows.value  # less risk: on by default
    app.button(key="rule_whatif").click()
    app.run()
    assert not app.exception and 'data-table="whatif"' in html_of(app)
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(BacktestRun.id)).all()) == 2
    app.button(key="rule_save").click()
    app.run()
    opened = rules.opened(desk.wiring, admin, 1)
    assert (opened.version.number, opened.version.also_open) == (2, True)
    app.button(key="rule_revert").click()
    app.run()
    opened = rules.opened(desk.wiring, admin, 1)
    assert opened.version.number == 3 and opened.version.text == opened.versions[-1].text


def test_switching_on_in_live_shows_the_evidence_and_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.services import rules
    from tests.console.desks import RULE_TEXT

    text = RULE_TEXT.format(name="실전 규칙", symbol="AAPL")
    rule = rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts["본계좌"], text)
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    app.selectbox(key="rule_account").set_value(desk.accounts["본계좌"])
    app.run()
    app.selectbox(key="rule").set_value(rule)
    app.run()
    app.button(key="rule_switch").click()
    app.run()
    assert any("백테스트" in one.value for one in app.error)
    assert app.button(key="rule_switch_do").disabled  # until the name stands there
    app.text_input(key="rule_confirm").set_value("본계좌")
    app.run()
    app.button(key="rule_switch_do").click()
    app.run()
    assert not rules.opened(desk.wiring, desk.actor(Role.ADMIN), rule).enabled
    app.checkbox(key="rule_waive").check()
    app.text_input(key="rule_reason").set_value("손으로 지켜봄")
    app.run()
    app.button(key="rule_switch_do").click()
    app.run()
    assert rules.opened(desk.wiring, desk.actor(Role.ADMIN), rule).enabled


def test_a_stop_that_nobody_watches_is_red(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_in("degraded")
    drawn = html_of(page_of(desk, Role.ADMIN, "positions", monkeypatch))
    assert re.search(r'lt-act"[^>]*><i>■</i> 보호 안 됨', drawn)
    drawn = html_of(page_of(desk, Role.ADMIN, "control", monkeypatch))
    assert re.search(r'lt-act"[^>]*><i>■</i> 보호 안 됨', drawn)


def test_limits_and_the_switch_of_one_account_are_set_on_the_risk_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.services import risk

    us = desk.accounts["미국 주식 1호"]
    app = page_of(desk, Role.ADMIN, "risk", monkeypatch)
    app.selectbox(key="risk_account").set_value(us)
    app.run()
    app.text_input(key=f"max_account_amount_{us}").set_value("45,000")
    app.button(key="more_save").click()
    app.run()
    asked = html_of(app)
    assert "$45,000.00" in asked[asked.index('data-table="second"') :]  # now and afterwards, before it takes effect
    assert risk.view(desk.wiring, desk.actor(Role.ADMIN)).accounts[0].max_account_amount != 45_000
    app.text_input(key="second_reason").set_value("넓힘")
    app.run()
    app.button(key="second_do").click()
    app.run()
    app.button(key="risk_raise_REDUCE_ONLY").click()
    app.run()
    assert not app.error and not app.exception
    line = next(one for one in risk.view(desk.wiring, desk.actor(Role.ADMIN)).accounts if one.id == us)
    assert line.max_account_amount == 45_000 and line.kill.name == "REDUCE_ONLY"
