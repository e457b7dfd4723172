"""Role × action: what the table says is what the services do, on the database's word and with its audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from unittest.mock import patch

import pyotp
import pytest
from sqlmodel import select

from console.services import (
    accounts,
    alerts,
    approvals,
    arming,
    backtests,
    drills,
    exchange_admin,
    factors,
    fees,
    four_eyes,
    holdings,
    hosts,
    inbox,
    kill,
    logs,
    manual_orders,
    orders,
    orders_at_once,
    overview,
    own_password,
    policies,
    returns,
    risk,
    rule_evidence,
    rules,
    schedule,
    sign_ins,
    tokens,
    trail_check,
    users,
    won,
)
from console.services.accounts import Keys, Limits, NewAccount
from console.services.manual_orders import Ticket
from console.services.permissions import MATRIX, Action, Actor
from shared.db import reading, writing
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.order import Side
from shared.domain.signal import Verdict
from shared.models import Alert, AuditLog, Command, Heartbeat, OrderRow, Proposal, Role, SecondLook, User
from shared.store import accounts as stored
from shared.store import sync
from shared.store.panels import LogFilter
from shared.store.sessions import find_session, start_session
from shared.words import WORDS
from tests.console.desks import PASSWORDS, RULE_TEXT, Desk

US, HIDDEN = "미국 주식 1호", "모의 검증"
LIMITS = Limits(Decimal(1), Decimal(2), Decimal(3), Decimal(4), 5)
KEYS = Keys("PSANOTHERKEY99", "ANOTHERSECRET99", "33334444-01")


def _order(desk: Desk, account: str) -> int:
    with reading(desk.wiring.engine) as session:
        found = session.exec(
            select(OrderRow.id).where(OrderRow.account_id == desk.accounts[account], OrderRow.status == "ACCEPTED")
        ).first()
    return found or 0


def _alert(desk: Desk, account: str) -> int:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        row = Alert(
            account_id=desk.accounts[account],
            kind="BOT_SILENT",
            severity="critical",
            dedup_key=account,
            created_at=now,
            last_at=now,
        )
        session.add(row)
        session.flush()
        return row.id or 0


def _rule(desk: Desk, account: str) -> int:
    text = RULE_TEXT.format(name="r", symbol="AAPL" if account == US else "005930")
    return rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts[account], text)


def _switched_on(desk: Desk, account: str) -> int:
    rule_id = _rule(desk, account)
    rules.switch(desk.wiring, desk.actor(Role.ADMIN), rule_id, enabled=True, confirm=account)
    return rule_id


def _session(desk: Desk, user_id: int) -> int:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        token = start_session(session, user_id, now, ip="", user_agent="")
        session.flush()
        found = find_session(session, token, now)
    return found.session_id if found else 0


def _entry(desk: Desk, account: str) -> int:
    """An entry of a semi-automatic rule that waits."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        row = Proposal(
            account_id=desk.accounts[account], proposal_key=f"k:{account}", rule_id=1, version_id=1, symbol="AAPL",
            side="BUY", qty=3, status="WAITING", asked_at=now, expires_at=now + timedelta(minutes=2), updated_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id or 0


def _look(desk: Desk) -> int:
    """A LIVE account that another Admin wants armed."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        other = User(email="other@desk.local", role=Role.ADMIN.value, password_hash="x", created_at=now)
        session.add(other)
        session.flush()
        row = SecondLook(
            action=Action.ACCOUNT_ARM.value, target="account", account_id=desk.accounts["본계좌"], payload={"hours": 8},
            asked_by=f"user:{other.id}", asked_by_user_id=other.id, source="console", asked_at=now,
            expires_at=now + timedelta(minutes=2),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id or 0


def _proves_own_factor(desk: Desk, actor: Actor) -> object:
    secret = factors.begin(desk.wiring, actor).secret
    return factors.prove(desk.wiring, actor, pyotp.TOTP(secret).at(desk.wiring.clock.wall_now()))


def _drill(desk: Desk, actor: Actor, account: str) -> object:
    """The exchange's own door is not here: its answers stand in for it."""
    numbers = {"accounts": [{"broker": "KIS", "account": "87654321-01"}, {"broker": "LS", "account": "20212345601"}]}
    told = {"/accounts": numbers, "/drills": {"drills": [{"name": "d", "faults": [], "tape": [], "after": []}]}}
    with patch.object(exchange_admin, "ask", lambda settings, method, path, **how: told[path]):
        return drills.start(desk.wiring, actor, "d", desk.accounts[account])


def _job(desk: Desk, account: str) -> int:
    now = desk.wiring.clock.wall_now().isoformat()
    with writing(desk.wiring.engine) as session:
        row = {"job": "day_bars", "next_at": now, "missed": "run", "paused": False, "updated_at": now}
        sync.apply(session, desk.accounts[account], "schedule", row)
    return desk.accounts[account]


NEW = NewAccount("하나 더", BrokerName.KIS, Market.US, Environment.SIM)
TICKET = Ticket("AAPL", Side.BUY, 1, Decimal(200))
DEEDS: dict[Action, Callable[[Desk, Actor, str], object]] = {
    Action.VIEW: lambda d, a, n: accounts.detail(d.wiring, a, d.accounts[n]),
    Action.ACCOUNT_ADD: lambda d, a, n: accounts.add_account(d.wiring, a, NEW, KEYS, LIMITS),
    Action.ACCOUNT_LIMITS: lambda d, a, n: accounts.set_limits(d.wiring, a, d.accounts[n], LIMITS, reason="점검"),
    Action.CREDENTIAL_SET: lambda d, a, n: accounts.set_credentials(d.wiring, a, d.accounts[n], KEYS),
    Action.KEY_TEST: lambda d, a, n: accounts.test_key(d.wiring, a, d.accounts[n], key="one"),
    Action.ACCOUNT_START: lambda d, a, n: accounts.start(d.wiring, a, d.accounts[n]),
    Action.ACCOUNT_STOP: lambda d, a, n: accounts.stop(d.wiring, a, d.accounts[n]),
    Action.RULE_SAVE: lambda d, a, n: rules.add_rule(
        d.wiring, a, d.accounts[n], RULE_TEXT.format(name="x", symbol="AAPL" if n == US else "005930")
    ),
    Action.RULE_SWITCH: lambda d, a, n: rules.switch(d.wiring, a, _rule(d, n), enabled=True),
    Action.ORDER_CANCEL: lambda d, a, n: orders.request_cancel(d.wiring, a, _order(d, n), key="c"),
    Action.ORDER_PLACE: lambda d, a, n: manual_orders.place(
        d.wiring, a, d.accounts[n], replace(TICKET, symbol="AAPL" if n == US else "005930"), key="p"
    ),
    Action.ORDER_AMEND: lambda d, a, n: manual_orders.amend(
        d.wiring, a, _order(d, n), price=Decimal(207), quantity=None, key="a"
    ),
    Action.KILL_RAISE: lambda d, a, n: kill.raise_level(d.wiring, a, KillLevel.HALT, account_id=d.accounts[n]),
    Action.KILL_LOWER: lambda d, a, n: kill.lower_level(
        d.wiring, a, KillLevel.RUN, reason="끝", typed="run", password=PASSWORDS[a.role], account_id=d.accounts[n]
    ),
    Action.RULE_WAIVE: lambda d, a, n: rule_evidence.waive(d.wiring, a, _rule(d, n), confirm=n, reason="손으로 지켜봄"),
    Action.OWNER_LIMITS: lambda d, a, n: risk.set_owner_limits(d.wiring, a, 1, None, Decimal(5000), reason="점검"),
    Action.ACCOUNT_MOVE: lambda d, a, n: hosts.let_go(d.wiring, a, d.accounts[n], reason="호스트 꺼짐"),
    Action.MATTER_SETTLE: lambda d, a, n: inbox.lift_symbol(d.wiring, a, d.accounts[n], "AAPL", key="m"),
    Action.ALERT_ACK: lambda d, a, n: alerts.acknowledge(d.wiring, a, _alert(d, n)),
    Action.BACKTEST: lambda d, a, n: backtests.ask(
        d.wiring, a, RULE_TEXT.format(name="x", symbol="AAPL"), {"kind": "run"}
    ),
    Action.ACCOUNT_ARM: lambda d, a, n: arming.arm(
        d.wiring, a, d.accounts["본계좌"], hours=8, confirm="본계좌", reason="장 시작"
    ),
    Action.ACCOUNT_DISARM: lambda d, a, n: arming.disarm(d.wiring, a, d.accounts[n]),
    Action.ACCOUNT_ARCHIVE: lambda d, a, n: arming.archive(
        d.wiring, a, d.accounts["본계좌"], confirm="본계좌", reason="해지"
    ),
    Action.RULE_ARCHIVE: lambda d, a, n: rules.archive(d.wiring, a, _rule(d, n)),
    Action.CANCEL_ALL: lambda d, a, n: orders_at_once.cancel_all(d.wiring, a, d.accounts[n], key="ca"),
    Action.FLATTEN: lambda d, a, n: orders_at_once.flatten(d.wiring, a, d.accounts[n], key="fl", confirm=n),
    Action.USER_MANAGE: lambda d, a, n: users.add(d.wiring, a, "new@desk.local", Role.VIEWER, service=True),
    Action.TOKEN_MANAGE: lambda d, a, n: tokens.add(d.wiring, a, d.users[Role.VIEWER], "t", [], days=1),
    Action.WEBHOOK_MANAGE: lambda d, a, n: tokens.add_webhook(d.wiring, a, _rule(d, n), "tv"),
    Action.PROPOSE: lambda d, a, n: orders_at_once.propose(
        d.wiring, a, _switched_on(d, n), "AAPL" if n == US else "005930", Verdict.BUY, key="pr", source="test"
    ),
    Action.AUDIT_READ: lambda d, a, n: trail_check.verify(d.wiring, a),
}
DEEDS[Action.FX_RATE] = lambda d, a, n: won.record_rate(d.wiring, a, Decimal("1390.5"))
DEEDS[Action.DRILL] = _drill
DEEDS[Action.AUDIT_READ] = lambda d, a, n: sign_ins.trail(d.wiring, a)
DEEDS[Action.SESSION_END] = lambda d, a, n: sign_ins.end(d.wiring, a, _session(d, a.user_id or 0))
DEEDS[Action.PASSWORD_RESET] = lambda d, a, n: users.reset_password(d.wiring, a, d.users[Role.VIEWER], reason="잊음")
DEEDS[Action.PASSWORD_OWN] = lambda d, a, n: own_password.change(
    d.wiring, a, PASSWORDS[a.role], "a new and longer one", "a new and longer one", token="this one"
)
DEEDS[Action.FACTOR_OWN] = lambda d, a, n: _proves_own_factor(d, a)
DEEDS[Action.FACTOR_RESET] = lambda d, a, n: factors.reset(d.wiring, a, d.users[Role.VIEWER], reason="분실")
DEEDS[Action.POLICY_SET] = lambda d, a, n: policies.demand_factor(
    d.wiring, a, {Role.ADMIN}, reason="정책", password=PASSWORDS[a.role]
)
DEEDS[Action.SECOND_LOOK] = lambda d, a, n: four_eyes.agree(d.wiring, a, _look(d), password=PASSWORDS[a.role])
DEEDS[Action.PROPOSAL_DECIDE] = lambda d, a, n: approvals.approve(d.wiring, a, _entry(d, n))
OF_NO_ACCOUNT = {Action.VIEW, Action.BACKTEST, Action.SESSION_END, Action.FACTOR_OWN, Action.PASSWORD_OWN}
DEEDS[Action.FEE_CONTRACT] = lambda d, a, n: fees.add(
    d.wiring, a, d.accounts[n], since=date(2026, 1, 1), until=None, buy_pct=Decimal("0.1"), sell_pct=Decimal("0.1")
)
DEEDS[Action.CASH_FLOW] = lambda d, a, n: returns.record_flow(
    d.wiring, a, d.accounts[n], Decimal(1000), d.wiring.clock.wall_now()
)
DEEDS[Action.JOB_RUN] = lambda d, a, n: schedule.run_now(d.wiring, a, _job(d, n), "day_bars", key="j")
DEEDS[Action.JOB_SWITCH] = lambda d, a, n: schedule.switch(d.wiring, a, _job(d, n), "day_bars", on=False)
ONLY_READS = {Action.VIEW, Action.AUDIT_READ}


def _without_words(desk: Desk) -> set[str]:
    """What the trail says in codes: an Admin reads it as words."""
    said = set()
    for row in sign_ins.trail(desk.wiring, desk.actor(Role.ADMIN)):
        said |= {f"trail.of.{row.target.partition(':')[0]}"} if ":" in row.target else set()
        said.add(f"deed.{row.action}")
        for key in {**(row.before or {}), **(row.after or {})}:
            names = {f"{prefix}.{key}" for prefix in ("trail", "limit", "field")}
            said |= names if not names & WORDS.keys() else set()
    return said - WORDS.keys()


def test_every_action_of_the_table_has_a_deed() -> None:
    assert DEEDS.keys() == MATRIX.keys() == set(Action)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_the_table_is_what_happens(action: Action, role: Role, desk: Desk) -> None:
    if action is Action.KILL_LOWER:
        kill.raise_level(desk.wiring, desk.actor(Role.ADMIN), KillLevel.HALT, account_id=desk.accounts[US])
    before = _audited(desk, action)
    if role in MATRIX[action]:
        DEEDS[action](desk, desk.actor(role), US)
        assert action in ONLY_READS or _audited(desk, action) == before + 1
        assert not _without_words(desk)
    else:
        with pytest.raises(Forbidden):
            DEEDS[action](desk, desk.actor(role), US)
        assert _audited(desk, action) == before


@pytest.mark.parametrize("action", [a for a in Action if Role.TRADER in MATRIX[a] and a not in OF_NO_ACCOUNT])
def test_an_account_that_was_not_granted_does_not_exist(action: Action, desk: Desk) -> None:
    trader = desk.actor(Role.TRADER)
    if action in {Action.ORDER_CANCEL, Action.ORDER_AMEND}:
        with writing(desk.wiring.engine) as session:
            row = session.get(OrderRow, _order(desk, US))
            assert row is not None
            row.account_id = desk.accounts[HIDDEN]
            session.add(row)
    with pytest.raises(NotFound):
        DEEDS[action](desk, trader, HIDDEN)


@pytest.mark.parametrize("action", [one for one in Action if Role.VIEWER not in MATRIX[one]])
def test_the_role_of_an_old_session_counts_for_nothing(action: Action, desk: Desk) -> None:
    demoted = replace(desk.actor(Role.VIEWER), role=Role.ADMIN)  # what a stale page still believes
    with pytest.raises(Forbidden):
        DEEDS[action](desk, demoted, US)


@pytest.mark.parametrize("action", list(Action))
def test_a_disabled_user_may_nothing(action: Action, desk: Desk) -> None:
    actor = desk.actor(Role.TRADER)
    with writing(desk.wiring.engine) as session:
        user = session.get(User, actor.user_id)
        assert user is not None
        user.disabled_at = desk.wiring.clock.wall_now()
        session.add(user)
    with pytest.raises(Forbidden):
        DEEDS[action](desk, actor, US)


def test_lists_hold_granted_accounts_only(desk: Desk) -> None:
    viewer, wiring = desk.actor(Role.VIEWER), desk.wiring
    seen = {line.nickname for line in overview.overview(wiring, viewer).lines}
    assert HIDDEN not in seen and US in seen
    hidden = desk.accounts[HIDDEN]
    assert all(row.account_id != hidden for row in orders.listed(wiring, viewer))
    assert all(row.account_id != hidden for row in holdings.cash(wiring, viewer))
    assert all(row.account_id != hidden for row in logs.newest(wiring, viewer, LogFilter()))
    assert hidden not in accounts.names(wiring, viewer)


def test_a_live_account_starts_for_an_admin_who_typed_its_name_and_a_reason(desk: Desk) -> None:
    live, wiring = desk.accounts["본계좌"], desk.wiring
    with pytest.raises(Forbidden):
        accounts.start(wiring, desk.actor(Role.TRADER), live, confirm="본계좌", reason="x")
    admin = desk.actor(Role.ADMIN)
    for confirm, reason in (("", "x"), ("본계", "x"), ("본계좌", " ")):
        with pytest.raises(Conflict):
            accounts.start(wiring, admin, live, confirm=confirm, reason=reason)
    assert not accounts.detail(wiring, admin, live).enabled
    accounts.start(wiring, admin, live, confirm="본계좌", reason="첫 실전")
    assert accounts.detail(wiring, admin, live).enabled
    accounts.stop(wiring, desk.actor(Role.TRADER), live)  # less risk is easy


def test_a_rule_on_a_live_account_needs_the_name_and_what_makes_it_safe(desk: Desk) -> None:
    admin, wiring, live = desk.actor(Role.ADMIN), desk.wiring, desk.accounts["본계좌"]
    text = RULE_TEXT.format(name="실전", symbol="AAPL").replace("enabled: true, percent: 2.0", "enabled: false")
    rule = rules.add_rule(wiring, admin, live, text)
    with pytest.raises(Forbidden):
        rules.switch(wiring, desk.actor(Role.TRADER), rule, enabled=True, confirm="본계좌")
    with pytest.raises(Conflict) as refused:
        rules.switch(wiring, admin, rule, enabled=True, confirm="본계좌")
    assert "손절" in refused.value.why
    rules.switch(wiring, admin, rule, enabled=True, confirm="본계좌", waive=True, reason="손으로 지켜봄")
    rules.switch(wiring, desk.actor(Role.TRADER), rule, enabled=False)


def test_two_clicks_are_one_command(desk: Desk) -> None:
    trader, order = desk.actor(Role.TRADER), _order(desk, US)
    first = orders.request_cancel(desk.wiring, trader, order, key="same")
    again = orders.request_cancel(desk.wiring, desk.actor(Role.ADMIN), order, key="same")
    assert first.id == again.id
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(Command).where(Command.key == "same")).all()) == 1
    assert _audited(desk, Action.ORDER_CANCEL) == 1


def test_starting_asks_fleet_once_more_and_saving_a_rule_asks_the_bot(desk: Desk) -> None:
    admin, us = desk.actor(Role.ADMIN), desk.accounts[US]
    before = accounts.detail(desk.wiring, admin, us)
    accounts.start(desk.wiring, admin, us)
    _rule(desk, US)
    after = accounts.detail(desk.wiring, admin, us)
    assert after.desired_generation == before.desired_generation + 1
    assert after.config_version == before.config_version + 1


def test_a_second_editor_does_not_overwrite_the_first(desk: Desk) -> None:
    rule, text = _rule(desk, US), RULE_TEXT.format(name="두 번째", symbol="MSFT")
    rules.save_version(desk.wiring, desk.actor(Role.TRADER), rule, text, expected_version=1)
    with pytest.raises(Conflict):
        rules.save_version(desk.wiring, desk.actor(Role.ADMIN), rule, text + "\n# mine\n", expected_version=1)
    assert rules.opened(desk.wiring, desk.actor(Role.ADMIN), rule).version.number == 2


def test_a_text_without_symbols_takes_the_typed_ones_and_keeps_codes_as_text() -> None:
    text = RULE_TEXT.format(name="x", symbol="005930").replace('universe: ["005930"]\n', "")
    assert not rules.check(text, Market.KRX, "", "ko").rule
    checked = rules.check(text, Market.KRX, "000270", "ko")
    assert checked.rule and checked.rule.universe == ("000270",)
    assert rules.check(checked.text, Market.KRX, "", "ko").rule == checked.rule
    assert rules.check(text, Market.US, "000270", "ko").problems


def test_a_class_share_is_written_as_its_ticks_will_be() -> None:
    text = RULE_TEXT.format(name="x", symbol="BRK/B")
    assert rules.check(text, Market.US, "", "ko").problems
    typed = rules.check(text.replace('universe: ["BRK/B"]\n', ""), Market.US, "brk/b", "ko")
    assert typed.rule and typed.rule.universe == ("BRK.B",)


def test_an_account_number_and_a_key_belong_to_one_account(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    same_number = replace(KEYS, account_no="8765432101")
    same_key = replace(KEYS, app_key="PSCANARYAPPKEY0001")
    for keys, code in ((same_number, "account_taken"), (same_key, "key_taken")):
        with pytest.raises(Conflict) as refused:
            accounts.add_account(desk.wiring, admin, NEW, keys, LIMITS)
        assert refused.value.code == code
    with reading(desk.wiring.engine) as session:
        assert not stored.nickname_taken(session, NEW.nickname)  # nothing half-written


def test_a_silent_bot_is_not_called_ready(desk: Desk) -> None:
    admin, us = desk.actor(Role.ADMIN), desk.accounts[US]
    with writing(desk.wiring.engine) as session:
        beat = session.get(Heartbeat, us)
        assert beat is not None
        beat.at = desk.wiring.clock.wall_now().replace(year=2020)
        session.add(beat)
    line = overview.overview(desk.wiring, admin, only=us).lines[0]
    assert (line.status, line.trouble) == ("SILENT", overview.Trouble.ACT)


def test_unlike_currencies_and_environments_are_never_added(desk: Desk) -> None:
    sums = overview.overview(desk.wiring, desk.actor(Role.ADMIN)).sums
    shown = {one.environment: [money.currency.value for money in one.equity] for one in sums}
    assert shown == {Environment.MOCK: ["KRW"], Environment.SIM: ["KRW", "USD"]}


def test_every_refusal_says_what_why_and_what_now(desk: Desk) -> None:
    for lang in ("ko", "en"):
        with pytest.raises(Forbidden) as refused:
            accounts.add_account(desk.wiring, desk.actor(Role.VIEWER, lang), NEW, KEYS, LIMITS)
        said = refused.value
        assert said.what and said.why and said.now and said.code == "forbidden"
        assert any("가" <= sign <= "힣" for sign in said.what) == (lang == "ko")


def _audited(desk: Desk, action: Action) -> int:
    with reading(desk.wiring.engine) as session:
        return len(session.exec(select(AuditLog.id).where(AuditLog.action == action.value)).all())
