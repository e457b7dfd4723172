"""A rule is built without typing its format, the YAML stands beside it, and copies are seen before they are made."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from console.services import rules
from console.services.rules import RuleText
from shared.domain.rule import model as m
from shared.domain.rule.parse import parse_rule
from shared.models import Role
from tests.console import desks
from tests.console.desks import Desk
from tests.console.test_pages import html_of, page_of

MOCK = "모의 검증"
KRX = "국내 단타"


def field(app: AppTest, label: str, place: int = 0, kind: str = "text_input") -> object:
    return [one for one in app.get(kind) if one.label == label][place]


def opened(desk: Desk, name: str) -> RuleText:
    admin = desk.actor(Role.ADMIN)
    line = next(one for one in rules.listed(desk.wiring, admin) if one.name == name)
    return rules.opened(desk.wiring, admin, line.id)


def by_key(app: AppTest, kind: str, ending: str) -> object:
    return next(one for one in app.get(kind) if one.key and one.key.endswith(ending))


def preview(app: AppTest) -> str:
    return str(next(one for one in app.code if one.language == "yaml").value)


def test_a_rule_is_built_by_fields_and_saved_as_the_yaml_beside_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    assert not app.text_area  # nothing to type a format into
    field(app, "규칙 이름").set_value("폼으로 만든 규칙").run()
    field(app, "종목 (쉼표로 여럿)").set_value("MSFT").run()
    by_key(app, "button", "_add_i").click().run()
    field(app, "지표", 2, "selectbox").set_value("rsi").run()
    field(app, "부르는 이름", 2).set_value("strength").run()
    by_key(app, "button", "_add_entry").click().run()
    field(app, "값", 1, "selectbox").set_value("strength").run()
    field(app, "비교", 1, "selectbox").set_value("less_than").run()
    field(app, "수", 0).set_value("35").run()
    field(app, "손절 %").set_value("1.5").run()
    assert not app.exception and not app.error, [one.value for one in app.error]
    written = parse_rule(preview(app))
    assert written.entry.conditions[1] == m.Comparison(m.IndicatorRef("strength"), m.Operator.LESS_THAN, m.Constant(35))
    assert "갱신 멈춤" in html_of(app)  # the list stands still while one edits
    app.button(key="rule_save").click().run()
    saved = opened(desk, "폼으로 만든 규칙")
    assert parse_rule(saved.version.text) == written
    assert (written.universe, written.risk.stop_loss) == (("MSFT",), m.Guard(True, 1.5))
    assert app.selectbox(key="rule").value == saved.id


def test_a_bundle_of_conditions_and_another_price_are_chosen_without_a_text(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    by_key(app, "button", "_add_entry_bundle").click().run()
    assert by_key(app, "selectbox", "_entry_bundle1_logic").value == m.Logic.ANY  # the section asks for all
    by_key(app, "button", "_entry_bundle1_add").click().run()
    field(app, "값", 2, "selectbox").set_value("close").run()
    field(app, "수", 1).set_value("7").run()
    field(app, "볼 가격", 0, "selectbox").set_value("high").run()
    assert not app.exception and not app.error, [one.value for one in app.error]
    rule = parse_rule(preview(app))
    plain, bundle = rule.entry.conditions
    assert isinstance(plain, m.Comparison) and isinstance(bundle, m.Group)
    assert (bundle.logic, len(bundle.conditions)) == (m.Logic.ANY, 2)
    assert bundle.conditions[1].right == m.Constant(7)
    assert rule.indicators[0].source is m.PriceField.HIGH
    by_key(app, "button", "_entry_bundle1_add").click().run()
    assert len(parse_rule(preview(app)).entry.conditions) == 2  # it goes into the bundle, not beside it


def test_a_slip_is_told_by_name_and_an_indicators_new_name_is_followed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    field(app, "손절 %").set_value("두 배").run()
    assert "두 배" in app.error[0].value and app.button(key="rule_save").disabled
    field(app, "손절 %").set_value("2").run()
    field(app, "부르는 이름", 0).set_value("quick").run()
    assert not app.error
    rule = parse_rule(preview(app))
    assert rule.entry.conditions[0].left == m.IndicatorRef("quick")
    by_key(app, "button", "_x").click().run()  # the indicator is gone, its conditions are not: said, not dropped
    assert app.error and app.button(key="rule_save").disabled


def test_what_the_form_has_no_place_for_is_said_and_the_text_remains(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = desks.RULE_TEXT.format(name="겹친 조건", symbol="AAPL").replace(
        "- {indicator: fast, operator: cross_above, compare_to: slow}",
        "- not: {indicator: fast, operator: less_than, compare_to: slow}  # 그 아래가 아니면",
    )
    rule = rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"], text)
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    app.selectbox(key="rule").set_value(rule).run()
    assert "아님" in app.info[0].value
    assert "그 아래가 아니면" in app.text_area[0].value


def test_form_and_text_are_two_views_of_one_rule(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    field(app, "규칙 이름").set_value("양쪽").run()
    app.session_state["rule_way"] = "text"
    app.run()
    area = app.text_area[0]
    assert "name: 양쪽" in area.value
    area.set_value(area.value.replace("period: 20", "period: 33")).run()
    app.session_state["rule_way"] = "form"
    app.run()
    assert field(app, "규칙 이름").value == "양쪽"
    assert "33" in [one.value for one in app.text_input if one.label == "기간 (period)"]
    app.session_state["rule_way"] = "text"
    app.run()
    app.text_area[0].set_value("metadata: [").run()
    app.session_state["rule_way"] = "form"
    app.run()
    assert not app.exception and "고치면 열립니다" in html_of(app)  # nothing typed is lost
    app.session_state["rule_way"] = "text"
    app.run()
    assert app.text_area[0].value == "metadata: ["


def test_a_copy_is_seen_per_account_and_a_mock_account_that_starts_it_asks_for_its_name(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    app.selectbox(key="rule_account").set_value(desk.accounts[KRX]).run()
    app.selectbox(key="rule").set_value(2).run()
    app.button(key="rule_copy").click().run()
    app.multiselect(key="copy_to").set_value([desk.accounts[MOCK]]).run()
    app.number_input(key=f"copy_shares_{desk.accounts[MOCK]}").set_value(4).run()
    app.checkbox(key="copy_on").check().run()
    drawn = html_of(app)
    drawn = drawn[drawn.index('data-table="copy"') :]
    assert MOCK in drawn and "새 규칙" in drawn and "4 주" in drawn
    assert app.button(key="copy_do").disabled
    app.text_input(key=f"copy_name_{desk.accounts[MOCK]}").set_value(MOCK).run()
    app.button(key="copy_do").click().run()
    assert not app.exception and not app.error
    mine = [
        one for one in rules.listed(desk.wiring, desk.actor(Role.ADMIN)) if one.account_id == desk.accounts[MOCK]
    ]  # fmt: skip
    assert [(one.name, one.enabled) for one in mine] == [("국내 이동평균", True)]
    saved = rules.opened(desk.wiring, desk.actor(Role.ADMIN), mine[0].id)
    assert parse_rule(saved.version.text).sizing == m.Sizing(m.SizingMode.SHARES, 4)


def test_opening_a_rule_in_the_form_changes_no_letter_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    text = desks.RULE_TEXT.format(name="그대로", symbol="AAPL").replace(
        "- {id: sma, alias: slow, params: {period: 20}}",
        "- {id: macd, alias: slow, params: {slow: 26, fast: 12.0}, output: histogram, shift: 1}  # 순서도 그대로",
    )
    rule = rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts["미국 주식 1호"], text)
    app = page_of(desk, Role.ADMIN, "rules", monkeypatch)
    app.selectbox(key="rule").set_value(rule).run()
    assert preview(app).strip() == text.strip()
    assert "주석" in html_of(app) and "갱신 멈춤" not in html_of(app)
    field(app, "손절 %").set_value("1").run()
    changed = parse_rule(preview(app))
    assert changed.risk.stop_loss == m.Guard(True, 1) and changed.indicators == parse_rule(text).indicators
