"""An order by hand in a real browser: ask the bot, click a price of the book, send one order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError
from sqlmodel import select

from console.services import sign_ins
from shared.db import reading, writing
from shared.models import Command, Role
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import BROWSER, free_port, operator, pick, settled

pytestmark = BROWSER
ANSWER = {
    "symbol": "AAPL",
    "name": "애플 <b onmouseover=alert(1)>",
    "type": "stock",
    "board": "",
    "denied": None,
    "last": "211.50",
    "lower_limit": None,
    "upper_limit": None,
    "sellable": 14,
    "buying_power": "91010.02",
    "buyable": 430,
    "bids": [["211.49", 120], ["211.48", 340], ["211.47", 90]],
    "asks": [["211.51", 80], ["211.52", 210], ["211.53", 400]],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return desks.normal_desk(tmp_path_factory.mktemp("ticket"), free_port())


@pytest.fixture
def page(desk: Desk, browser: Browser, url: str) -> Iterator[Page]:
    stop = threading.Event()
    bot = threading.Thread(target=_answer_previews, args=(desk, stop), daemon=True)
    bot.start()
    with operator(browser, url) as opened:
        opened.goto(f"{url}/account?account={desk.accounts['미국 주식 1호']}")
        settled(opened)
        yield opened
    stop.set()
    bot.join(timeout=120)


def _answer_previews(desk: Desk, stop: threading.Event) -> None:
    """What a bot does with PREVIEW_ORDER."""
    while not stop.wait(0.2):
        now = desk.wiring.clock.wall_now()
        with writing(desk.wiring.engine) as session:
            asked = select(Command).where(Command.kind == "PREVIEW_ORDER", Command.status == "REQUESTED")
            for row in session.exec(asked):
                row.status, row.result = "DONE", {**ANSWER, "at": now.isoformat()}
                session.add(row)


def test_a_price_of_the_book_is_clicked_and_one_order_asked(page: Page, desk: Desk) -> None:
    page.get_by_role("button", name="새 주문").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("종목").fill("AAPL")
    dialog.get_by_label("종목").press("Enter")
    dialog.get_by_role("button", name="호가·주문가능·검사 조회").click()
    level = dialog.get_by_role("button", name="$211.49")
    level.click()
    expect(dialog.get_by_label("가격 (USD)")).to_have_value("211.49")
    dialog.get_by_label("수량").fill("3")
    dialog.get_by_label("수량").press("Enter")
    send = dialog.get_by_role("button", name="AAPL 3")
    expect(send).to_be_enabled()
    page.screenshot(path=str(desk.wiring.settings.home / "ticket.png"))
    send.dblclick()
    expect(page.locator("[data-table=followed]")).to_be_visible()
    with reading(desk.wiring.engine) as session:
        orders = session.exec(select(Command).where(Command.kind == "PLACE_ORDER")).all()
    assert [(one.payload["symbol"], one.payload["quantity"], one.payload["price"]) for one in orders] == [
        ("AAPL", 3, "211.49")
    ]


def test_enter_and_click_back_and_again_are_still_one_order(page: Page, url: str, desk: Desk) -> None:
    with reading(desk.wiring.engine) as session:
        before = len(session.exec(select(Command.id).where(Command.kind == "PLACE_ORDER")).all())
    page.get_by_role("button", name="새 주문").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("종목").fill("MSFT")
    dialog.get_by_label("종목").press("Enter")
    dialog.get_by_label("가격 (USD)").fill("430.10")
    dialog.get_by_label("가격 (USD)").press("Enter")
    dialog.get_by_label("수량").fill("2")
    dialog.get_by_label("수량").press("Enter")
    send = dialog.get_by_role("button", name="MSFT 2")
    expect(send).to_be_enabled()
    at = middle(send)
    send.focus()
    page.keyboard.press("Enter")
    page.mouse.click(*at)  # in the same breath
    expect(page.locator("[data-table=followed]")).to_be_visible()
    page.goto(f"{url}/orders")
    settled(page)
    page.go_back()
    settled(page)
    expect(page.get_by_role("dialog")).to_have_count(0)  # nothing to send again stands there
    page.reload()
    settled(page)
    with reading(desk.wiring.engine) as session:
        orders = session.exec(select(Command).where(Command.kind == "PLACE_ORDER")).all()[before:]
    assert [(one.payload["symbol"], one.payload["quantity"]) for one in orders] == [("MSFT", 2)]


def middle(button: Locator) -> tuple[float, float]:
    box = button.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_session_that_an_admin_ended_sends_nothing_from_the_page_that_is_still_open(
    browser: Browser, url: str, desk: Desk
) -> None:
    with operator(browser, url, Role.TRADER) as tab:
        tab.goto(f"{url}/orders")
        settled(tab)
        pick(tab, "취소할 주문", "000660")
        tab.get_by_role("button", name="주문 취소").click()
        do = tab.get_by_role("button", name="취소 요청")
        expect(do).to_be_visible()
        admin = desk.actor(Role.ADMIN)
        mine = [one for one in sign_ins.listed(desk.wiring, admin) if one.email.startswith("trader")]
        for one in mine:
            sign_ins.end(desk.wiring, admin, one.id)
        with suppress(PlaywrightError):  # at once; should the page have seen it by itself, the button is gone
            do.click(timeout=2_000)
        expect(tab.get_by_text("다시 로그인").first).to_be_visible()
        tab.goto(f"{url}/orders")
        assert "/login" in tab.url
    with reading(desk.wiring.engine) as session:
        assert not session.exec(select(Command).where(Command.kind == "CANCEL_ORDER")).all()
