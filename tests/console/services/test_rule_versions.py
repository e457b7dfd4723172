"""Versions never change; reverting appends; safe edits reach open positions; LIVE needs evidence or an Admin's waiver."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from bots.config import load
from console.services import rule_evidence, rules, what_if
from console.services.permissions import Action
from console.services.rule_history import compare
from shared.db import reading, writing
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.rule.changes import Effect
from shared.models import AuditLog, DecisionRow, Role, RuleVersion, TradeRule
from shared.store import backtests
from shared.store.backtests import RunStatus
from tests.console.desks import RULE_TEXT, Desk

US, LIVE = "미국 주식 1호", "본계좌"
TEXT = RULE_TEXT.format(name="판", symbol="AAPL")
TIGHTER = TEXT.replace("percent: 2.0", "percent: 1.0")
WIDER = TEXT.replace("percent: 2.0", "percent: 3.0")


def made(desk: Desk, account: str = US, text: str = TEXT) -> int:
    return rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts[account], text)


def versions(desk: Desk, rule_id: int) -> list[RuleVersion]:
    return list(rules.opened(desk.wiring, desk.actor(Role.ADMIN), rule_id).versions)


def tested(desk: Desk, text: str = TEXT, **params: Any) -> None:
    """A finished backtest and a day in SIM of this text."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        run = backtests.ask(session, now, rule_text=text, params={"kind": "run", **params}, requested_by="t")
        result = {"return_pct": 4.2, "max_drawdown_pct": 1.5, "trades": [{}, {}]}
        backtests.finish(session, now, run.id or 0, RunStatus.DONE, result)


def ran_in_sim(desk: Desk, text: str = TEXT) -> None:
    rule_id = made(desk, US, text)
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        rule = session.get_one(TradeRule, rule_id)
        session.add(
            DecisionRow(
                account_id=rule.account_id, seq=900 + rule_id, rule_id=rule_id, version_id=rule.version_id or 0,
                symbol="AAPL", verdict="HOLD", reason="no_entry", at=now, updated_at=now,
            )
        )  # fmt: skip


def test_the_database_refuses_to_change_or_delete_a_version(desk: Desk) -> None:
    made(desk)
    for statement in (update(RuleVersion).values(text="x"), delete(RuleVersion)):
        with pytest.raises(DBAPIError, match="never changes"), writing(desk.wiring.engine) as session:
            session.execute(statement)


@pytest.mark.postgres
def test_postgresql_refuses_it_too(postgres_url: str) -> None:
    from shared import schema
    from shared.db import open_engine
    from shared.models import BrokerageAccount, Owner
    from shared.store import rules as store
    from tests.fakes import START

    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    with writing(engine) as session:
        session.add(Owner(id=1, name="o", created_at=START))
        session.flush()
        account = BrokerageAccount(
            owner_id=1, nickname="n", broker="KIS", market="US", environment="SIM", created_at=START
        )
        session.add(account)
        session.flush()
        columns = store.RuleColumns("n", "AAPL", "DAY", 0, {}, {})
        store.add(session, START, account.id or 0, columns, "text", "t")
    with pytest.raises(DBAPIError, match="never changes"), writing(engine) as session:
        session.execute(update(RuleVersion).values(text="x"))
    engine.dispose()


def test_reverting_appends_an_equal_version_and_says_so(desk: Desk) -> None:
    rule, trader = made(desk), desk.actor(Role.TRADER)
    rules.save_version(desk.wiring, trader, rule, WIDER)
    saved = rules.revert(desk.wiring, trader, rule, 1, expected_version=2)
    newest = versions(desk, rule)[0]
    assert (saved.number, newest.number, newest.text) == (3, 3, versions(desk, rule)[2].text)
    assert "1" in newest.note and saved.also_open  # back to the nearer stop: less risk
    with pytest.raises(NotFound):
        rules.revert(desk.wiring, trader, rule, 9)
    with pytest.raises(Conflict):
        rules.revert(desk.wiring, trader, rule, 2, expected_version=1)


@pytest.mark.parametrize(
    ("text", "asked", "follows"), [(TIGHTER, None, True), (WIDER, None, False), (TIGHTER, False, False), (WIDER, True, True)]
)  # fmt: skip
def test_open_positions_follow_a_safer_edit_unless_told_otherwise(
    desk: Desk, text: str, asked: bool | None, follows: bool
) -> None:
    rule = made(desk)
    opened_with = versions(desk, rule)[0].id or 0
    saved = rules.save_version(desk.wiring, desk.actor(Role.TRADER), rule, text, also_open=asked)
    assert saved.also_open is follows
    with reading(desk.wiring.engine) as session:
        config = load(session, desk.accounts[US], frozenset({(rule, opened_with)}))
        audited = session.exec(select(AuditLog).where(AuditLog.action == Action.RULE_SAVE.value)).all()[-1]
    judging = config.pinned[opened_with]
    assert (judging.version_id != opened_with) is follows
    assert judging.risk.stop_loss is not None
    assert judging.risk.stop_loss.percent == ({TIGHTER: 1.0, WIDER: 3.0}[text] if follows else 2.0)
    assert audited.after is not None and audited.after["also_open"] is follows


def test_a_position_opened_later_is_judged_by_its_own_version(desk: Desk) -> None:
    rule, trader = made(desk), desk.actor(Role.TRADER)
    rules.save_version(desk.wiring, trader, rule, TIGHTER)  # taken over by positions of version 1
    rules.save_version(desk.wiring, trader, rule, WIDER)  # not
    third, second, first = (one.id or 0 for one in versions(desk, rule))
    with reading(desk.wiring.engine) as session:
        held = frozenset({(rule, first), (rule, second), (rule, third)})
        pinned = load(session, desk.accounts[US], held).pinned
    assert [pinned[one].version_id for one in (first, second, third)] == [second, second, third]


def test_a_comparison_says_what_changed_in_text_and_meaning() -> None:
    found = compare(TEXT, TIGHTER)
    assert "-  stop_loss: {enabled: true, percent: 2.0}" in found.text and "---" not in found.text
    assert found.meaning is not None and found.lowers_risk
    assert [(one.path, one.before, one.after, one.effect) for one in found.meaning] == [
        ("risk.stop_loss.percent", "2.0", "1.0", Effect.LESS)
    ]
    assert compare(TEXT, TEXT).text == "" and compare(TEXT, "nonsense").meaning is None


def test_a_rule_without_evidence_is_not_switched_on_in_live(desk: Desk) -> None:
    admin, rule = desk.actor(Role.ADMIN), made(desk, LIVE)
    with pytest.raises(Conflict) as refused:
        rules.switch(desk.wiring, admin, rule, enabled=True, confirm=LIVE)
    assert refused.value.code == "not_live_ready" and "백테스트" in refused.value.why and "모의" in refused.value.why
    tested(desk, days=20)  # a what-if is no backtest
    assert rule_evidence.of_rule(desk.wiring, admin, rule).tested is None
    tested(desk)
    ran_in_sim(desk)
    found = rule_evidence.of_rule(desk.wiring, admin, rule)
    assert found.tested is not None and (found.tested.return_pct, found.tested.trades) == (4.2, 2)
    assert (found.sim_days, found.mock_days, found.missing) == (1, 0, ())
    rules.switch(desk.wiring, admin, rule, enabled=True, confirm=LIVE)
    assert rules.opened(desk.wiring, admin, rule).enabled


def test_evidence_of_another_text_is_none(desk: Desk) -> None:
    tested(desk, TIGHTER)
    ran_in_sim(desk, TIGHTER)
    found = rule_evidence.of_rule(desk.wiring, desk.actor(Role.ADMIN), made(desk, LIVE))
    assert found.tested is None and found.sim_days == 0 and len(found.missing) == 2


def test_a_waiver_is_an_admins_typed_reasoned_audited_and_for_one_version(desk: Desk) -> None:
    admin, rule = desk.actor(Role.ADMIN), made(desk, LIVE)
    with pytest.raises(Forbidden):
        rule_evidence.waive(desk.wiring, desk.actor(Role.TRADER), rule, confirm=LIVE, reason="x")
    for confirm, reason in (("본계", "x"), (LIVE, "  ")):
        with pytest.raises(Conflict):
            rule_evidence.waive(desk.wiring, admin, rule, confirm=confirm, reason=reason)
    rule_evidence.waive(desk.wiring, admin, rule, confirm=LIVE, reason="손으로 지켜봄")
    rules.switch(desk.wiring, admin, rule, enabled=True, confirm=LIVE)
    with reading(desk.wiring.engine) as session:
        audited = session.exec(select(AuditLog).where(AuditLog.action == Action.RULE_WAIVE.value)).one()
    assert audited.reason == "손으로 지켜봄" and audited.after is not None and audited.after["missing"]
    saved = rules.save_version(desk.wiring, admin, rule, TIGHTER)
    assert saved.switched_off and not rules.opened(desk.wiring, admin, rule).enabled  # the next needs its own


def test_a_version_with_evidence_stays_on_in_live(desk: Desk) -> None:
    admin, rule = desk.actor(Role.ADMIN), made(desk, LIVE)
    for text in (TEXT, TIGHTER):
        tested(desk, text)
        ran_in_sim(desk, text)
    rules.switch(desk.wiring, admin, rule, enabled=True, confirm=LIVE)
    assert not rules.save_version(desk.wiring, admin, rule, TIGHTER).switched_off
    assert rules.opened(desk.wiring, admin, rule).enabled


def test_a_what_if_queues_both_texts_over_the_same_days_and_reads_them_side_by_side(desk: Desk) -> None:
    trader = desk.actor(Role.TRADER)
    ids = what_if.ask(desk.wiring, trader, desk.accounts[US], TEXT, TIGHTER)
    assert len(ids) == 2 and all(side.open for side in what_if.result(desk.wiring, trader, ids))
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        first, second = (backtests.one(session, one) for one in ids)
        assert first is not None and second is not None
        assert (first.rule_text, second.rule_text) == (TEXT, TIGHTER)
        assert first.params == second.params
        assert (first.params["days"], first.params["symbols"], first.params["environment"]) == (20, ["AAPL"], "SIM")
        backtests.finish(session, now, ids[0], RunStatus.DONE, {"return_pct": 1.0, "trades": [{}], "bars": 20})
        error = {"error": {"what": "봉", "why": "없음", "now": "가져오기"}}
        backtests.finish(session, now, ids[1], RunStatus.FAILED, error)
    one, two = what_if.result(desk.wiring, trader, ids)
    assert (one.return_pct, one.trades, one.bars, one.problem) == (1.0, 1, 20, "")
    assert two.problem == "봉 없음 가져오기" and two.return_pct is None
    with pytest.raises(Forbidden):
        what_if.ask(desk.wiring, desk.actor(Role.VIEWER), desk.accounts[US], None, TEXT)
