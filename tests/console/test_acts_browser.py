"""One act of each page by hand in a real browser, and what it left in the database; `make acts` plays all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select

from console.services import rules
from shared.db import reading, writing
from shared.domain.rule import model as m
from shared.domain.rule.parse import parse_rule
from shared.models import (
    Alert,
    AuditLog,
    BacktestRun,
    BrokerageAccount,
    Command,
    FxRate,
    OrderRow,
    Role,
    RuleVersion,
    TradeRule,
    User,
)
from shared.store import sync
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import BROWSER, free_port, operator, pick, settled

pytestmark = [*BROWSER, pytest.mark.xdist_group("browser")]
US, KRX, MOCK, LIVE = "미국 주식 1호", "국내 단타", "모의 검증", "본계좌"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A calm desk with an order nobody can prove, an alert and a job."""
    made = desks.normal_desk(tmp_path_factory.mktemp("acts"), free_port())
    now = made.wiring.clock.wall_now()
    with writing(made.wiring.engine) as session:
        account = made.accounts[US]
        desks._order(session, account, 90, "NVDA", "BUY", 3, "131.20", "UNKNOWN", now, reason="응답 없음")
        session.add(
            Alert(
                account_id=account, kind="PRICE_SPIKE", severity="warning", dedup_key="acts", created_at=now, last_at=now,
                params={"symbol": "NVDA", "change_pct": "-4.2", "minutes": 5},
            )
        )  # fmt: skip
        due = (now + timedelta(hours=3)).isoformat()
        told = {"job": "day_bars", "next_at": due, "missed": "run", "paused": False, "updated_at": now.isoformat()}
        sync.apply(session, account, "schedule", told)
    return made


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    """One person who goes from page to page."""
    with operator(browser, url) as opened:
        yield opened


def at(page: Page, url: str, path: str) -> None:
    page.goto(f"{url}/{path}")
    settled(page)


def command(desk: Desk, kind: str) -> Command:
    with reading(desk.wiring.engine) as session:
        return session.exec(select(Command).where(Command.kind == kind)).one()


def test_an_unproven_order_is_settled_by_a_persons_word(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "inbox")
    expect(page.locator("[data-table=inbox]")).to_contain_text("NVDA")
    page.get_by_text("증권사에 없음을 확인했습니다").click()
    page.get_by_role("button", name="접수되지 않았음").click()
    expect(page.locator("[data-table=followed]")).to_be_visible()
    asked = command(desk, "RESOLVE_ORDER")
    assert (asked.account_id, asked.payload["broker_order_id"]) == (desk.accounts[US], None)


@pytest.mark.soak
def test_an_alert_is_acknowledged_by_whom_it_says(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "alerts")
    pick(page, "확인할 알림", "NVDA")
    page.get_by_role("button", name="확인함", exact=True).click()
    expect(page.get_by_text("확인했습니다").first).to_be_visible()
    with reading(desk.wiring.engine) as session:
        row = session.exec(select(Alert).where(Alert.dedup_key == "acts")).one()
        assert row.acknowledged_at is not None and row.acknowledged_by == f"user:{desk.users[Role.ADMIN]}"


def test_a_limit_is_changed_after_a_second_look_with_a_reason(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "risk")
    pick(page, "계좌", US)
    page.locator("summary", has_text="더 정하는 한도").click()
    page.get_by_label("계좌 전체 한도 (USD)").fill("45,000")
    page.get_by_label("계좌 전체 한도 (USD)").press("Enter")
    page.get_by_role("button", name="한도 저장", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-table=second]")).to_contain_text("$45,000.00")
    do = dialog.get_by_role("button", name="한도 저장")
    expect(do).to_be_disabled()
    dialog.get_by_label("사유").fill("운용 확대")
    do.click()
    expect(dialog).to_have_count(0)
    with reading(desk.wiring.engine) as session:
        assert session.get_one(BrokerageAccount, desk.accounts[US]).max_account_amount == 45_000
        row = session.exec(select(AuditLog).where(AuditLog.action == "account.limits")).one()
        assert row.reason == "운용 확대"


def test_a_rate_is_recorded_and_the_days_are_exported(page: Page, url: str, desk: Desk, tmp_path: Path) -> None:
    at(page, url, "profit")
    page.locator("summary", has_text="환율 넣기").click()
    page.get_by_label("원/달러").fill("1,401.5")
    page.get_by_label("원/달러").press("Enter")
    page.get_by_role("button", name="기록", exact=True).click()
    expect(page.get_by_text("환율을 기록했습니다")).to_be_visible()
    with reading(desk.wiring.engine) as session:
        newest = session.exec(select(FxRate).order_by(col(FxRate.id).desc())).first()
        assert newest is not None and newest.rate == Decimal("1401.5")
    with page.expect_download() as waited:
        page.get_by_role("button", name="CSV").first.click()
    waited.value.save_as(tmp_path / "profit.csv")
    rows = (tmp_path / "profit.csv").read_text("utf-8-sig").splitlines()
    assert rows[0].startswith("day,owner,account") and any(US in row for row in rows[1:])


@pytest.mark.soak
def test_a_job_is_run_now(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "schedule")
    pick(page, "작업 고르기", US)
    page.get_by_role("button", name="지금 실행").click()
    expect(page.get_by_text("실행을 요청했습니다")).to_be_visible()
    assert command(desk, "RUN_JOB").payload == {"job": "day_bars"}


def test_a_backtest_is_asked_for_the_rule_and_cash_typed_last(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "research")
    pick(page, "규칙", "미국 이동평균")
    page.get_by_role("textbox", name="종목").fill("AAPL, MSFT")
    page.get_by_role("button", name="맡기기", exact=True).click()  # at once: the field was not left before
    expect(page.get_by_text("맡겼습니다").first).to_be_visible()
    with reading(desk.wiring.engine) as session:
        run = session.exec(select(BacktestRun)).one()
        assert (run.status, run.params["kind"], run.params["symbols"]) == ("QUEUED", "run", ["AAPL", "MSFT"])


@pytest.mark.soak
def test_a_person_is_added_and_his_password_is_shown_once(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "people")
    page.get_by_role("button", name="사람 추가").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("이메일").fill("new@desk.local")
    dialog.get_by_label("이메일").press("Tab")
    dialog.get_by_label("사유").fill("새 동료")
    dialog.get_by_label("사유").press("Tab")
    dialog.get_by_role("button", name="추가", exact=False).first.click()
    shown = page.locator("[data-table=password]")
    expect(shown).to_be_visible()
    password = shown.inner_text()
    page.get_by_role("button", name="적어 두었습니다").click()
    expect(shown).to_have_count(0)
    with reading(desk.wiring.engine) as session:
        made = session.exec(select(User).where(User.email == "new@desk.local")).one()
        assert made.role == Role.VIEWER.value and password not in (made.password_hash or "")


def test_a_position_is_closed_by_one_command_however_often_one_clicks(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "positions")
    pick(page, "청산할 포지션", "MSFT")
    page.get_by_role("button", name="청산", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="MSFT 6주 시장가 매도").dblclick()
    expect(page.locator("[data-table=followed]")).to_be_visible()
    asked = command(desk, "CLOSE_POSITION")
    assert (asked.account_id, asked.payload) == (desk.accounts[US], {"symbol": "MSFT", "quantity": None})


def test_a_rule_is_built_by_form_saved_and_copied_to_an_account_that_asks_for_its_name(
    page: Page, url: str, desk: Desk
) -> None:
    at(page, url, "rules")
    pick(page, "계좌", KRX)
    settled(page)
    expect(page.get_by_label("규칙 이름")).to_have_count(1)  # the form of the account before may be there for a moment
    page.get_by_label("규칙 이름").fill("폼 규칙")
    page.get_by_label("규칙 이름").press("Tab")
    page.get_by_role("textbox", name="손절 %", exact=True).fill("1.5")
    page.get_by_role("textbox", name="손절 %", exact=True).press("Tab")
    expect(page.get_by_test_id("stCode").first).to_contain_text("percent: 1.5")
    page.get_by_label("종목 (쉼표로 여럿)").fill("000660")
    page.get_by_role("button", name="새 규칙 저장").click()  # at once: the field was not left before
    expect(page.get_by_text("규칙을 저장했습니다")).to_be_visible()
    with reading(desk.wiring.engine) as session:
        row = session.exec(select(TradeRule).where(TradeRule.name == "폼 규칙")).one()
        version = session.exec(select(RuleVersion).where(RuleVersion.rule_id == row.id)).one()
        assert (row.account_id, row.enabled, row.symbol) == (desk.accounts[KRX], False, "000660")
        assert parse_rule(version.text).risk.stop_loss == m.Guard(True, 1.5)
    page.get_by_role("button", name="다른 계좌에 복사").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="받을 계좌").click()
    page.get_by_role("option").filter(has_text=MOCK).click()
    page.keyboard.press("Tab")
    dialog.get_by_text("복사한 뒤 바로 켜기").click()
    do = dialog.get_by_role("button", name="1개 계좌에 복사하고 켜기")
    expect(do).to_be_disabled()
    dialog.get_by_label(f"확인: 계좌 이름 '{MOCK}'").fill(MOCK)
    expect(do).to_be_enabled()
    do.click()
    expect(dialog).to_have_count(0)
    with reading(desk.wiring.engine) as session:
        copied = session.exec(select(TradeRule).where(TradeRule.account_id == desk.accounts[MOCK])).one()
        assert (copied.name, copied.enabled) == ("폼 규칙", True)
        deeds = session.exec(select(AuditLog).where(AuditLog.account_id == desk.accounts[MOCK])).all()
        assert [one.action for one in deeds][-2:] == ["rule.save", "rule.switch"]


@pytest.mark.soak
def test_an_edit_becomes_a_version_that_is_compared_and_taken_back(page: Page, url: str, desk: Desk) -> None:
    at(page, url, "rules")
    pick(page, "계좌", US)
    pick(page, "편집할 규칙", "미국 이동평균")
    page.get_by_text("YAML로").click()
    settled(page)
    text = page.get_by_role("textbox", name="규칙 내용 (YAML)")
    first = text.input_value()
    text.fill(first.replace("percent: 2.0", "percent: 3.5"))
    text.press("Control+Enter")
    expect(page.locator("[data-table=meaning]")).to_contain_text("3.5")
    page.get_by_role("button", name="지난 20일이라면?").click()
    expect(page.locator("[data-table=whatif]")).to_contain_text("계산 중")  # of both, before anything is saved
    page.get_by_role("button", name="새 버전 저장").click()
    expect(page.get_by_text("규칙을 저장했습니다")).to_be_visible()
    page.locator("summary", has_text="버전 2개").click()
    expect(page.locator("[data-table=versions] tbody tr")).to_have_count(2)
    expect(page.get_by_test_id("stCode").last).to_contain_text("percent: 3.5")
    page.get_by_role("button", name="버전 1(으)로 되돌리기").click()
    expect(page.get_by_text("되돌렸습니다").first).to_be_visible()
    with reading(desk.wiring.engine) as session:
        rule = session.exec(select(TradeRule).where(TradeRule.name == "미국 이동평균")).one()
        kept = session.exec(select(RuleVersion).where(RuleVersion.rule_id == rule.id).order_by(col(RuleVersion.number)))
        texts = [one.text for one in kept]
        assert len(texts) == 3 and texts[0] == texts[2] == first != texts[1]
        asked = [run.params["kind"] for run in session.exec(select(BacktestRun).order_by(col(BacktestRun.id).desc()))]
        assert len(asked) >= 2


@pytest.mark.soak
def test_a_rule_meets_the_gate_of_real_money_and_an_admins_waiver_is_kept(page: Page, url: str, desk: Desk) -> None:
    kept = [one for one in desks.RULE_TEXT.splitlines() if not one.startswith(("risk:", "  stop_loss:"))]
    bare = "\n".join(kept).format(name="맨몸 규칙", symbol="AAPL")
    rules.add_rule(desk.wiring, desk.actor(Role.ADMIN), desk.accounts[LIVE], bare, max_position=0)
    at(page, url, "rules")
    pick(page, "계좌", LIVE)
    pick(page, "편집할 규칙", "맨몸 규칙")
    settled(page)
    page.get_by_role("button", name="규칙 켜기").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("이 버전의 백테스트가 없습니다")
    expect(dialog).to_contain_text("시뮬 0일 · 모의 0일")
    expect(dialog).to_contain_text("빠진 것: 손절, 최대 보유 수량, 이 버전의 백테스트, 시뮬·모의 거래일")
    do = dialog.get_by_role("button", name="이 규칙 켜기")
    expect(do).to_be_disabled()
    dialog.get_by_label("확인: 계좌 이름").fill(LIVE)
    do.click()
    expect(dialog).to_contain_text("실전에서 켤 수 없는 규칙입니다")
    dialog.get_by_text("빠진 조건을 면제합니다").click()
    dialog.get_by_role("textbox", name="사유").fill("시험 운용")
    dialog.get_by_role("textbox", name="사유").press("Tab")
    do.click()
    expect(dialog).to_have_count(0)
    with reading(desk.wiring.engine) as session:
        rule = session.exec(select(TradeRule).where(TradeRule.name == "맨몸 규칙")).one()
        assert rule.enabled and rule.waived_version_id == rule.version_id
        waived = session.exec(select(AuditLog).where(AuditLog.action == "rule.waive")).one()
        assert waived.reason == "시험 운용" and "손절" in waived.after["missing"]


def test_no_order_was_sent_by_the_console_itself(desk: Desk) -> None:
    """Every act above is a wish: orders stand as the bots had written them."""
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(OrderRow.id)).all()) == 10
