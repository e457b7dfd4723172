"""A page that Streamlit took down is told and drawn anew; what stands around its pages is ours and in our language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.message import DecodeError
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from sqlmodel import select
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from console.services import people
from shared.db import reading
from shared.models import Command, Role
from shared.words import say
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import BROWSER, free_port, operator, settled

pytestmark = BROWSER


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return desks.normal_desk(tmp_path_factory.mktemp("shell"), free_port())


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with operator(browser, url) as opened:
        yield opened


class Astray:
    """Stands between page and console, and sends one change to where nothing is."""

    def __init__(self) -> None:
        self.armed = False

    def __call__(self, page_side: WebSocketRoute) -> None:
        server = page_side.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            page_side.send(self._led_astray(message) if self.armed and isinstance(message, bytes) else message)

        server.on_message(pass_on)

    def _led_astray(self, frame: bytes) -> bytes:
        message = ForwardMsg()
        try:
            message.ParseFromString(frame)
        except DecodeError:
            return frame
        if message.WhichOneof("type") != "delta":
            return frame
        self.armed = False
        message.metadata.delta_path[:] = [0, 900, 0]
        return message.SerializeToString()


def test_a_page_that_turned_white_says_so_and_is_drawn_anew(page: Page, url: str, desk: Desk) -> None:
    astray = Astray()
    page.route_web_socket("**/_stcore/stream", astray)
    page.goto(f"{url}/orders?account=0")
    settled(page)
    page.evaluate("window.before = true")
    shown = page.url
    astray.armed = True
    page.wait_for_function("() => window.before === undefined", timeout=120_000)  # another document
    assert not astray.armed
    settled(page)
    expect(page.locator("[data-table=orders]")).to_be_visible()
    expect(page.locator("#white")).to_be_hidden()
    assert page.url == shown
    with reading(desk.wiring.engine) as session:
        assert session.exec(select(Command)).all() == []


def test_a_page_that_turns_white_again_at_once_stays_and_tells_what_to_do(page: Page, url: str) -> None:
    astray = Astray()
    page.route_web_socket("**/_stcore/stream", astray)
    page.goto(f"{url}/control")
    settled(page)
    page.evaluate("sessionStorage.setItem('letstrade-redrawn', Date.now())")
    astray.armed = True
    told = page.locator("#white")
    expect(told).to_be_visible()
    expect(told).to_contain_text("봇과 주문에는 영향이 없습니다")
    told.get_by_role("link", name="지금 다시 불러오기").click()
    settled(page)
    expect(told).to_be_hidden()


def test_what_stands_around_the_pages_is_in_the_readers_language(browser: Browser, url: str, desk: Desk) -> None:
    people.set_language(desk.wiring, desk.actor(Role.TRADER), "en")
    for role, lang in ((Role.ADMIN, "ko"), (Role.TRADER, "en")):
        with operator(browser, url, role) as opened:
            answer = opened.request.get(f"{url}/orders", headers={"accept": "text/html"}).text()
            assert f'<html lang="{lang}">' in answer and "<title>LetsTrade</title>" in answer
            assert say("page.white", lang) in answer and say("page.no_script", lang) in answer
            assert "You need to enable" not in answer and "service-desc" not in answer
