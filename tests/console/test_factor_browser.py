"""A second factor by hand: found from the console, set up with the code of an app, asked for at the next sign-in."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from playwright.sync_api import Browser, Page, expect

from console.services import factors
from shared.models import Role
from tests.console.desks import PASSWORDS, Desk
from tests.console.door import code_at
from tests.console.served import BROWSER, console_on, operator

pytestmark = BROWSER


def fresh_code(secret: str, not_this: str) -> str:
    """A code of now that was not used yet, as a person waits for the next one on the telephone."""
    while (code := code_at(secret, datetime.now(UTC))) == not_this:
        time.sleep(0.5)
    return code


def given(page: Page, code: str) -> None:
    page.fill("#code", code)
    page.click("button[type=submit]")


def sign_in_with_password(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#email", "trader@desk.local")
    page.fill("#password", PASSWORDS[Role.TRADER])
    page.click("button[type=submit]")


def test_a_second_factor_is_set_up_and_then_asked_for(desk: Desk, browser: Browser) -> None:
    with console_on(desk) as url, operator(browser, url, Role.TRADER) as page:
        page.goto(f"{url}/password")
        page.click("a[href='/factor']")
        expect(page.locator("svg").first).to_be_visible()
        secret = re.sub(r"\s", "", page.locator("code").first.inner_text())
        given(page, "000000")
        expect(page.locator("[role=alert]")).to_be_visible()
        used = fresh_code(secret, "000000")
        given(page, used)
        recovery = page.locator("li").all_inner_texts()
        assert len(recovery) == 10 and factors.standing(desk.wiring, desk.users[Role.TRADER]).recovery_left == 10

        page.context.clear_cookies()
        sign_in_with_password(page, url)
        expect(page).to_have_url(re.compile("/login/code"))
        given(page, used)  # read over the shoulder: a code opens once
        expect(page.locator("[role=alert]")).to_be_visible()
        page.goto(f"{url}/orders")
        expect(page).to_have_url(re.compile("/login"))  # the password alone opens nothing
        sign_in_with_password(page, url)
        given(page, fresh_code(secret, used))
        expect(page.locator("[data-table=bar]").first).to_be_visible()

        page.context.clear_cookies()
        sign_in_with_password(page, url)
        given(page, recovery[0])  # the telephone is lost
        expect(page.locator("[data-table=bar]").first).to_be_visible()
        assert factors.standing(desk.wiring, desk.users[Role.TRADER]).recovery_left == 9
