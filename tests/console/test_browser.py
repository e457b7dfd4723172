"""The console in a real browser: what an operator does with his hands, and that refreshing takes nothing from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from console.passwords import check_password
from console.services import accounts
from shared.db import reading, writing
from shared.models import Alert, BrokerageAccount, Command, ExecutionLog, Role, User
from shared.wording.alerts import ADVICE
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import (
    BROWSER,
    free_port,
    operator,
    pick,
    settled,
    sign_in,
    start_console,
    wait_healthy,
)

pytestmark = [*BROWSER, pytest.mark.xdist_group("browser")]  # one console serves them all, its log is read at the end


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return desks.normal_desk(tmp_path_factory.mktemp("browser"), free_port())


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with operator(browser, url) as opened:
        yield opened


def test_a_deep_link_asks_to_sign_in_and_comes_back(browser: Browser, url: str) -> None:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{url}/orders")
    assert "/login" in opened.url
    opened.fill("#email", "admin@desk.local")
    opened.fill("#password", desks.PASSWORDS[Role.ADMIN])
    opened.click("button[type=submit]")
    opened.wait_for_selector("[data-table=orders]", timeout=120_000)
    assert opened.url.endswith("/orders")
    opened.reload()
    opened.wait_for_selector("[data-table=orders]", timeout=120_000)  # the session survives a reload
    context.close()


def test_an_account_is_registered_and_no_key_stays_on_the_page(page: Page, url: str, desk: Desk) -> None:
    page.goto(f"{url}/account-new")
    settled(page)
    page.get_by_label("계좌 이름").fill("브라우저 계좌")
    page.get_by_label("앱 키").fill("PSBROWSERKEY0001")
    page.get_by_label("앱 시크릿").fill("BROWSERSECRET0001")
    page.get_by_label("계좌번호").fill("77778888-01")
    page.get_by_label("계좌번호").blur()
    page.get_by_role("button", name="계좌 등록", exact=True).click()
    expect(page.get_by_text("등록했습니다. 꺼진 상태입니다.")).to_be_visible()
    expect(page.get_by_label("앱 키")).to_have_value("")
    assert "PSBROWSERKEY0001" not in page.content()
    with reading(desk.wiring.engine) as session:
        made = session.exec(select(BrokerageAccount).where(BrokerageAccount.nickname == "브라우저 계좌")).one()
        assert (made.last4, made.enabled) == ("8888", False)


def test_a_live_account_starts_only_after_its_name_was_typed(page: Page, url: str, desk: Desk) -> None:
    live = desk.accounts["본계좌"]
    page.goto(f"{url}/account?account={live}")
    settled(page)
    page.get_by_role("button", name="시작", exact=True).click()
    do = page.get_by_role("button", name="이 계좌 시작")
    expect(do).to_be_disabled()
    page.get_by_label("확인: 계좌 이름을 그대로 입력").fill("본계좌")
    expect(do).to_be_enabled()
    page.get_by_label("사유").fill("첫 실전")
    page.get_by_label("사유").blur()
    do.click()
    expect(page.get_by_text("시작을 요청했습니다")).to_be_visible()
    assert accounts.detail(desk.wiring, desk.actor(Role.ADMIN), live).enabled
    page.get_by_role("button", name="정지", exact=True).click()
    page.get_by_role("button", name="이 계좌 정지").click()
    expect(page.get_by_text("정지를 요청했습니다")).to_be_visible()


def test_a_live_account_is_armed_on_its_page_and_the_panels_stand_still_meanwhile(
    page: Page, url: str, desk: Desk
) -> None:
    live = desk.accounts["본계좌"]
    page.goto(f"{url}/account?account={live}")
    settled(page)
    page.get_by_role("button", name="실전 허가", exact=False).first.click()
    dialog = page.get_by_role("dialog")
    do = dialog.get_by_role("button", name="본계좌 실전 허가")
    expect(do).to_be_disabled()
    expect(page.get_by_text("갱신 멈춤").first).to_be_attached()
    dialog.get_by_label("확인: 계좌 이름을 그대로 입력").fill("본계좌")
    dialog.get_by_label("확인: 계좌번호 끝 4자리").fill(
        accounts.detail(desk.wiring, desk.actor(Role.ADMIN), live).last4
    )
    dialog.get_by_label("사유").fill("첫 실전")
    expect(do).to_be_enabled()
    do.click()
    expect(page.get_by_role("button", name="허가 거두기")).to_be_visible()
    expect(page.get_by_text("갱신 멈춤")).to_have_count(0)
    assert accounts.detail(desk.wiring, desk.actor(Role.ADMIN), live).armed_until is not None


def test_ones_own_password_is_changed_in_the_console_and_the_tab_key_loses_nothing(
    browser: Browser, url: str, desk: Desk
) -> None:
    with operator(browser, url, Role.VIEWER) as tab:
        tab.goto(f"{url}/people")
        settled(tab)
        tab.locator("summary", has_text="비밀번호 바꾸기").click()
        for label, text in (
            ("지금 비밀번호", desks.PASSWORDS[Role.VIEWER]),
            ("새 비밀번호", "mine alone from now"),
            ("새 비밀번호 다시", "mine alone from now"),
        ):
            field = tab.get_by_label(label, exact=True)
            field.fill(text)
            field.press("Tab")
        tab.get_by_role("button", name="바꾸기", exact=True).click()
        expect(tab.get_by_text("비밀번호를 바꾸었습니다")).to_be_visible()
        tab.reload()  # this sign-in stays
        tab.wait_for_selector("[data-table=bar]", timeout=120_000)
    with reading(desk.wiring.engine) as session:
        user = session.get_one(User, desk.users[Role.VIEWER])
        assert check_password("mine alone from now", user.password_hash or "")


def test_a_cancel_is_one_command(page: Page, url: str, desk: Desk) -> None:
    page.goto(f"{url}/orders")
    settled(page)
    pick(page, "취소할 주문", "AAPL")
    page.get_by_role("button", name="주문 취소").click()
    page.get_by_role("button", name="취소 요청").dblclick()
    expect(page.get_by_text("취소를 요청했습니다")).to_be_visible()
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(Command).where(Command.kind == "CANCEL_ORDER")).all()) == 1


def test_new_lines_arrive_and_choices_stay(page: Page, url: str, desk: Desk) -> None:
    page.goto(f"{url}/logs")
    settled(page)
    page.get_by_label("내용 찾기").fill("도착")
    page.get_by_label("내용 찾기").press("Enter")
    expect(page.locator("[data-table=logs]")).to_contain_text("조건에 맞는 로그가 없습니다")
    with writing(desk.wiring.engine) as session:
        session.add(
            ExecutionLog(
                account_id=desk.accounts["미국 주식 1호"],
                seq=5000,
                level="INFO",
                message="도착 <img src=x onerror=\"document.title='run'\">",
                created_at=desk.wiring.clock.wall_now(),
            )
        )
    expect(page.locator("[data-table=logs]")).to_contain_text("도착 <img", timeout=120_000)  # no reload, no click
    expect(page.get_by_label("내용 찾기")).to_have_value("도착")
    assert page.title() != "run"


def test_a_broken_rule_says_where_and_cannot_be_saved(page: Page, url: str) -> None:
    page.goto(f"{url}/rules")
    settled(page)
    page.get_by_text("YAML로", exact=True).click()
    area = page.get_by_role("textbox", name="규칙 내용 (YAML)")
    area.fill(desks.RULE_TEXT.format(name="깨짐", symbol="AAPL").replace("cross_above", "crosses"))
    area.press("Control+Enter")
    expect(page.get_by_text(re.compile("고칠 곳 1군데"))).to_be_visible()
    expect(page.get_by_role("button", name="새 규칙 저장")).to_be_disabled()


def test_stopping_everything_takes_two_clicks(page: Page, url: str) -> None:
    page.goto(f"{url}/positions")
    settled(page)
    page.get_by_role("button", name="긴급정지").click()
    page.get_by_role("button", name="신규 진입 금지").click()
    expect(page.locator(".lt-kill:not([data-table])")).to_contain_text("신규 진입 금지", timeout=120_000)
    page.get_by_role("button", name="긴급정지").click()
    page.get_by_label("사유").fill("점검 끝")
    page.get_by_label("사유").blur()
    page.get_by_role("button", name="정상으로 해제").click()
    expect(page.get_by_text("확인 단어가 맞지 않습니다")).to_be_visible()  # nobody lowers it by a slip of the hand
    page.get_by_label("RUN 입력").fill("RUN")
    page.get_by_label("지금 비밀번호").fill(desks.PASSWORDS[Role.ADMIN])
    page.get_by_label("지금 비밀번호").blur()
    page.get_by_role("button", name="정상으로 해제").click()
    expect(page.locator(".lt-kill:not([data-table])")).to_have_count(0, timeout=120_000)


def test_signing_out_ends_every_tab(page: Page, url: str) -> None:
    second = page.context.new_page()
    second.goto(f"{url}/logs")
    second.wait_for_selector("[data-table=logs]", timeout=120_000)
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("link", name="다시 로그인")).to_be_visible()
    expect(second.get_by_role("link", name="다시 로그인").first).to_be_visible(timeout=120_000)
    second.goto(f"{url}/")
    assert "/login" in second.url


def test_nothing_is_loaded_from_elsewhere_and_the_policy_breaks_nothing(browser: Browser, url: str) -> None:
    context = browser.new_context()
    opened, foreign, complaints = context.new_page(), [], []
    opened.on(
        "request",
        lambda request: (
            foreign.append(request.url)
            if not request.url.startswith((url, "data:", "blob:", "ws://127.0.0.1"))
            else None
        ),
    )
    opened.on(
        "console",
        lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
    )
    sign_in(opened, url)
    opened.wait_for_selector(".js-plotly-plot", timeout=120_000)
    settled(opened)
    assert not foreign and not complaints
    context.close()


def test_the_phone_shows_the_same_without_sideways_scrolling(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ko")
    opened = context.new_page()
    sign_in(opened, url)
    for path in ("/", "/orders", "/positions", "/account-new"):
        opened.goto(f"{url}{path}")
        settled(opened)
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    context.close()


ASTRAY = """() => [...document.querySelectorAll(".lt-table td")].filter(cell => {
    const box = cell.getBoundingClientRect();
    return box.width && [...cell.querySelectorAll("*")].some(one => one.getBoundingClientRect().right > box.right + 1);
}).map(cell => cell.innerText)"""


def test_no_cell_of_a_table_runs_into_the_next(page: Page, url: str) -> None:
    for path in ("/", "/orders", "/rules"):
        page.goto(f"{url}{path}")
        settled(page)
        assert page.evaluate(ASTRAY) == [], path


TROUBLES = (  # kind, severity, account, what its line must say, parameters
    ("ORDER_UNKNOWN", "critical", "미국 주식 1호", "NVDA", {"symbol": "NVDA", "side": "BUY", "quantity": 3}),
    ("BOT_SILENT", "critical", "국내 단타", "240초", {"silent_s": 240}),
    ("BOT_PARKED", "critical", "모의 검증", "10분에 5번", {"reason": "10분에 5번 종료"}),
    ("KEY_REFUSED", "critical", "본계좌", "EGW00103", {"reason": "EGW00103"}),
    ("DRIFT", "critical", "국내 단타", "005930", {"symbol": "005930", "ours": 120, "theirs": 100}),
    ("UNGUARDED", "warning", "미국 주식 1호", "MSFT", {"symbol": "MSFT", "quantity": 6}),
    ("ORDER_REJECTED", "warning", "국내 단타", "잔고", {"symbol": "000660", "side": "SELL", "quantity": 9, "reason": "잔고 부족"}),
    ("LOSS_HALT", "critical", "모의 검증", "하루 손실", {"limit": "₩500,000", "pnl": "-₩512,300", "day": "2026-11-20"}),
)  # fmt: skip


LINES = """() => [...document.querySelectorAll("[data-table=waiting] > div")].map(line => {
    const box = line.getBoundingClientRect();
    return {text: line.innerText, top: box.top, bottom: box.bottom};
})"""


def test_eight_troubles_are_read_on_the_first_screen(page: Page, url: str, desk: Desk) -> None:
    """Whose, what, and what to do now: without scrolling, at 1366 by 768."""
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        for kind, severity, account, _, params in TROUBLES:
            session.add(
                Alert(
                    account_id=desk.accounts[account], kind=kind, severity=severity, dedup_key=f"planted:{kind}",
                    params=params, created_at=now, last_at=now,
                )
            )  # fmt: skip
    page.goto(url)
    expect(page.locator("[data-table=waiting] > div")).to_have_count(8, timeout=120_000)
    shown = page.evaluate(LINES)  # in one look: the panel is drawn anew every two seconds
    for kind, _, account, said, _ in TROUBLES:
        mine = [
            one for one in shown if account in one["text"] and said in one["text"] and ADVICE[kind][0] in one["text"]
        ]
        assert len(mine) == 1, kind
        assert mine[0]["top"] >= 0 and mine[0]["bottom"] <= 768, kind
    first = page.evaluate("document.querySelector('[data-table=accounts] tbody tr').getBoundingClientRect().top")
    assert first < 768  # the account table begins on the same screen


def test_two_operators_who_cancel_the_same_order_send_one_command(
    browser: Browser, page: Page, url: str, desk: Desk
) -> None:
    with operator(browser, url, Role.TRADER) as other:
        for tab in (page, other):
            tab.goto(f"{url}/orders")
            settled(tab)
            pick(tab, "취소할 주문", "000660")
            tab.get_by_role("button", name="주문 취소").click()
            expect(tab.get_by_role("button", name="취소 요청")).to_be_visible()
        for tab in (page, other):
            tab.get_by_role("button", name="취소 요청").click()
            expect(tab.get_by_text("취소를 요청했습니다")).to_be_visible()
    with reading(desk.wiring.engine) as session:
        asked = session.exec(select(Command).where(Command.kind == "CANCEL_ORDER")).all()
        assert len([one for one in asked if one.account_id == desk.accounts["국내 단타"]]) == 1


def test_a_console_killed_under_an_open_dialog_sent_nothing_and_comes_back(browser: Browser, desk: Desk) -> None:
    settings = replace(desk.wiring.settings, port=free_port())
    mine = replace(desk, wiring=replace(desk.wiring, settings=settings))
    address = f"http://127.0.0.1:{settings.port}"
    with reading(desk.wiring.engine) as session:
        before = len(session.exec(select(Command.id)).all())
    console = start_console(mine, settings.home / "killed.log")
    try:
        wait_healthy(address, console)
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ko")
        tab = context.new_page()
        tab.set_default_timeout(120_000)
        sign_in(tab, address)
        tab.goto(f"{address}/account?account={desk.accounts['본계좌']}")
        settled(tab)
        tab.get_by_role("button", name="시작", exact=True).click()
        tab.get_by_label("확인: 계좌 이름을 그대로 입력").fill("본계좌")
        console.kill()
        console.wait(timeout=120)
        console = start_console(mine, settings.home / "again.log")
        wait_healthy(address, console)
        tab.reload()  # the session is in the store: no second sign-in
        tab.wait_for_selector("[data-table=bar]", timeout=120_000)
        assert "/login" not in tab.url
        expect(tab.get_by_role("button", name="이 계좌 시작")).to_have_count(0)
        context.close()
    finally:
        console.kill()
        console.wait(timeout=120)
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(Command.id)).all()) == before
        assert not session.get_one(BrokerageAccount, desk.accounts["본계좌"]).enabled


def test_the_log_of_the_console_holds_no_secret(desk: Desk) -> None:
    written = (Path(desk.wiring.settings.home) / "console.log").read_text(errors="replace")
    assert not [word for word in (*desks.CANARIES, "PSBROWSERKEY0001", *desks.PASSWORDS.values()) if word in written]
