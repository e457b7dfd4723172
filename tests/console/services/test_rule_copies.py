"""A rule for many accounts: each its own size, all or none, names typed where it runs with a broker, one row of audit each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import col, select

from console.services import accounts, rule_copies, rules
from console.services.accounts import Keys, NewAccount
from console.services.rule_copies import Target
from shared.db import reading
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.rule.model import Sizing, SizingMode
from shared.domain.rule.parse import parse_rule
from shared.models import AuditLog, BrokerageAccount, Role, TradeRule
from tests.console import desks
from tests.console.desks import Desk

SOURCE, MOCK, LIVE = 2, "모의 검증", "본계좌"  # the desk's KRX rule; its MOCK account is KRX too


@pytest.fixture
def wide(desk: Desk) -> Desk:
    """Beside the KRX accounts of the desk one more, in SIM."""
    limits = desks._LIMITS[Market.KRX]
    keys = Keys("PSCOPYKEY00000001", "COPYSECRET0000001zzzzzzz", "60011122-01", "COPYHTS")
    new = NewAccount("셋째", BrokerName.KIS, Market.KRX, Environment.SIM)
    made = accounts.add_account(desk.wiring, desk.actor(Role.ADMIN), new, keys, limits)
    return replace(desk, accounts={**desk.accounts, "셋째": made})


def shares(number: int) -> Sizing:
    return Sizing(SizingMode.SHARES, number)


def of(desk: Desk, nickname: str) -> list[TradeRule]:
    with reading(desk.wiring.engine) as session:
        query = select(TradeRule).where(TradeRule.account_id == desk.accounts[nickname]).order_by(col(TradeRule.id))
        return list(session.exec(query))


def audited(desk: Desk) -> list[tuple[str, int | None, str]]:
    with reading(desk.wiring.engine) as session:
        rows = session.exec(select(AuditLog).order_by(col(AuditLog.id)))
        return [(row.action, row.account_id, row.reason) for row in rows]


def text_of(desk: Desk, rule: int) -> str:
    return rules.opened(desk.wiring, desk.actor(Role.ADMIN), rule).version.text


def test_each_account_gets_its_own_size_switched_off_with_one_row_of_audit(wide: Desk) -> None:
    admin, before = wide.actor(Role.ADMIN), len(audited(wide))
    offered = {one.nickname for one in rule_copies.choices(wide.wiring, admin, SOURCE)}
    assert offered == {MOCK, "셋째"}  # the LIVE account trades another market
    targets = [Target(wide.accounts[MOCK], 30, shares(3)), Target(wide.accounts["셋째"], 50, shares(5))]
    planned = rule_copies.plan(wide.wiring, admin, SOURCE, targets)
    assert [(one.nickname, one.rule_id, one.sizing, one.typed) for one in planned] == [
        (MOCK, None, shares(3), False),
        ("셋째", None, shares(5), False),
    ]
    rule_copies.copy(wide.wiring, admin, SOURCE, targets, expected_version=1)
    for nickname, size, held in ((MOCK, 3, 30), ("셋째", 5, 50)):
        (row,) = of(wide, nickname)
        assert (row.enabled, row.max_position, row.symbol) == (False, held, "005930")
        assert parse_rule(text_of(wide, row.id or 0)).sizing == shares(size)
    assert [(deed, account) for deed, account, _ in audited(wide)[before:]] == [
        ("rule.save", wide.accounts[MOCK]),
        ("rule.save", wide.accounts["셋째"]),
    ]
    assert "규칙 2" in audited(wide)[-1][2]


def test_a_second_copy_is_the_next_version_and_never_a_second_rule(wide: Desk) -> None:
    admin, target = wide.actor(Role.ADMIN), Target(wide.accounts["셋째"], 50, shares(5))
    rule_copies.copy(wide.wiring, admin, SOURCE, [target], expected_version=1)
    (planned,) = rule_copies.plan(wide.wiring, admin, SOURCE, [replace(target, size=shares(7))])
    assert (planned.rule_id, planned.version) == (of(wide, "셋째")[0].id, 2)
    rule_copies.copy(wide.wiring, admin, SOURCE, [replace(target, size=shares(7))], expected_version=1)
    (row,) = of(wide, "셋째")
    assert parse_rule(text_of(wide, row.id or 0)).sizing == shares(7)


def test_one_refusal_undoes_all(wide: Desk) -> None:
    """The second account's name was not typed: the first has nothing either, and the audit says nothing."""
    admin, before = wide.actor(Role.ADMIN), len(audited(wide))
    targets = [Target(wide.accounts["셋째"], 50), Target(wide.accounts[MOCK], 30, confirm="모의")]
    with pytest.raises(Conflict) as refused:
        rule_copies.copy(wide.wiring, admin, SOURCE, targets, expected_version=1, enable=True)
    assert refused.value.what.startswith(f"{MOCK}: ") and refused.value.code == "confirm_mock"
    assert of(wide, "셋째") == of(wide, MOCK) == [] and len(audited(wide)) == before
    typed = [targets[0], replace(targets[1], confirm=MOCK)]
    rule_copies.copy(wide.wiring, admin, SOURCE, typed, expected_version=1, enable=True)
    assert [row.enabled for row in (*of(wide, "셋째"), *of(wide, MOCK))] == [True, True]
    (planned,) = rule_copies.plan(wide.wiring, admin, SOURCE, [targets[1]])
    assert planned.running and planned.typed  # a running rule of a MOCK account is not renewed without its name
    with pytest.raises(Conflict):
        rule_copies.copy(wide.wiring, admin, SOURCE, [targets[1]], expected_version=1)


def test_live_asks_for_all_that_one_rule_asks_and_another_market_is_refused(wide: Desk) -> None:
    admin = wide.actor(Role.ADMIN)
    live = Target(wide.accounts[LIVE], 10, confirm=LIVE)
    with pytest.raises(Conflict) as refused:
        rule_copies.copy(wide.wiring, admin, 1, [live], expected_version=1, enable=True)
    assert refused.value.code == "not_live_ready" and of(wide, LIVE) == []
    with pytest.raises(Forbidden):
        rule_copies.copy(wide.wiring, wide.actor(Role.TRADER), 1, [live], expected_version=1, enable=True)
    rule_copies.copy(
        wide.wiring, admin, 1, [live], expected_version=1, enable=True, waive=True, reason="손으로 지켜봄"
    )  # fmt: skip
    assert [row.enabled for row in of(wide, LIVE)] == [True]
    assert [deed for deed, _, _ in audited(wide)[-3:]] == ["rule.save", "rule.waive", "rule.switch"]
    (planned,) = rule_copies.plan(wide.wiring, admin, SOURCE, [live])
    assert planned.problems  # 005930 is no US symbol
    with pytest.raises(Conflict):
        rule_copies.copy(wide.wiring, admin, SOURCE, [live], expected_version=1)


def test_a_viewer_copies_nothing_hidden_accounts_do_not_exist_and_an_old_preview_is_refused(wide: Desk) -> None:
    target = Target(wide.accounts["셋째"], 50)
    with pytest.raises((Forbidden, NotFound)):
        rule_copies.copy(wide.wiring, wide.actor(Role.VIEWER), SOURCE, [target], expected_version=1)
    with pytest.raises(NotFound):
        rule_copies.copy(wide.wiring, wide.actor(Role.TRADER), SOURCE, [target], expected_version=1)  # not granted
    admin = wide.actor(Role.ADMIN)
    with pytest.raises(Conflict):
        rule_copies.copy(wide.wiring, admin, SOURCE, [target, target], expected_version=1)
    with pytest.raises(Conflict):
        rule_copies.copy(wide.wiring, admin, SOURCE, [], expected_version=1)
    rules.save_version(wide.wiring, admin, SOURCE, text_of(wide, SOURCE).replace("percent: 2.0", "percent: 1.0"))
    with pytest.raises(Conflict) as refused:
        rule_copies.copy(wide.wiring, admin, SOURCE, [target], expected_version=1)
    assert refused.value.code == "rule_changed"
    with reading(wide.wiring.engine) as session:
        assert session.get_one(BrokerageAccount, wide.accounts["셋째"]).config_version == 1
