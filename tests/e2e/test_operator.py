"""An operator in a real browser on an empty desk: register two accounts, write a rule, watch it trade, find no secret."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.served import chromium, launch
from tests.e2e.desk import Desk, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.chromium,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.timeout(420),
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]

CANARIES = ("CANARYKEYkisus0123456789abcdef012345", "CANARYSECRETkis" + "x" * 165, "12345678-01")
LS_CANARIES = ("PLCANARYls0123456789abcdef0123456789", "CANARYSECRETls" + "y" * 40, "20098765401")

RULE = """version: "1.0"
metadata:
  name: 첫 규칙
strategy:
  id: first_rule
  timeframe: 1m
  evaluate: tick
  indicators:
    - {id: sma, alias: fast, params: {period: 2}}
  entry:
    logic: AND
    conditions:
      - {indicator: fast, operator: greater_than, value: 1}
  exit:
    logic: OR
    conditions:
      - {indicator: fast, operator: less_than, value: 0}
risk:
  stop_loss: {enabled: true, percent: 5.0}
sizing: {mode: shares, value: 2}
execution: {order_type: limit, offset_ticks: 5, cooldown_sec: 600}
universe: ["SYMBOL"]
"""


@contextmanager
def a_page(browser: Browser) -> Iterator[Page]:
    """A page; what it showed when the test failed is kept in the system's temporary folder."""
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="ko-KR")
    try:
        yield page
    except BaseException:
        page.screenshot(path=Path(tempfile.gettempdir()) / "letstrade-operator-failed.png", full_page=True)
        raise
    finally:
        browser.close()


def field(page: Page, key: str) -> str:
    return f".st-key-{key} input"


def choose(page: Page, key: str, label: str) -> None:
    """Pick an option of a select box by (part of) its words."""
    page.locator(f".st-key-{key} button[aria-haspopup=listbox]").click()
    page.get_by_role("option", name=re.compile(label)).first.click()
    page.wait_for_timeout(200)  # until the draw that the choice asks for has begun
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=120_000)


def fill(page: Page, key: str, text: str) -> None:
    page.fill(field(page, key), text)
    page.press(field(page, key), "Tab")


def sign_in(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.console_url}/login")
    page.fill("#email", "admin@localhost")
    page.fill("#password", desk.password)
    page.click("button[type=submit]")
    page.wait_for_selector("[data-table=bar]", timeout=120_000)


def register(page: Page, desk: Desk, name: str, broker: str, market: str, secrets: tuple[str, str, str]) -> int:
    page.goto(f"{desk.console_url}/account-new")
    page.wait_for_selector(field(page, "new_nickname"), timeout=120_000)
    fill(page, "new_nickname", name)
    choose(page, "new_broker", broker)
    choose(page, "new_market", market)
    for key, text in zip(("new_app_key", "new_app_secret", "new_account_no"), secrets, strict=True):
        fill(page, key, text)
    if broker == "한국투자":
        fill(page, "new_hts_id", "HTSID01")
    page.locator(".st-key-new_submit button").click()

    def made() -> list[dict[str, object]]:
        return desk.rows("SELECT id FROM brokerage_accounts WHERE nickname = :name", name=name)

    return int(str(wait_until(f"{name} is registered", made)[0]["id"]))


def write_rule(page: Page, desk: Desk, account: str, account_id: int, text: str) -> None:
    page.goto(f"{desk.console_url}/rules")
    page.wait_for_selector(".st-key-rule_save", timeout=120_000)
    choose(page, "rule_account", account)
    page.locator(".st-key-rule_way button").nth(1).click()  # as text: a rule of any shape
    area = page.locator(
        f".st-key-rule_text_{account_id}_0_0 textarea"
    )  # the editor of this account, not the last one's
    area.wait_for(timeout=120_000)
    area.fill(text.replace("operator: greater_than", "operator: bigger_than"))
    area.press("Control+Enter")
    page.wait_for_selector("[data-testid=stAlertContentError]", timeout=120_000)  # the mistake is named beside the text
    assert page.locator(".st-key-rule_save button").is_disabled()
    area.fill(text)
    area.press("Control+Enter")
    page.wait_for_selector(".st-key-rule_save button:enabled", timeout=120_000)
    page.locator(".st-key-rule_save button").click()
    page.wait_for_selector(".st-key-rule_switch button", timeout=120_000)
    page.locator(".st-key-rule_switch button").click()
    page.locator(".st-key-rule_switch_do button").click()
    name = "SELECT 1 FROM trade_rules r JOIN brokerage_accounts a ON a.id = r.account_id WHERE a.nickname = :name AND r.enabled"
    wait_until("the rule is on", lambda: desk.rows(name, name=account))


def start_account(page: Page, desk: Desk, account_id: int) -> None:
    page.goto(f"{desk.console_url}/account?account={account_id}")
    page.wait_for_selector(".st-key-start button", timeout=120_000)
    page.locator(".st-key-start button").click()
    page.locator(".st-key-start_do button").click()
    wait_until(
        "the account is wanted",
        lambda: desk.rows("SELECT 1 FROM brokerage_accounts WHERE id = :id AND enabled", id=account_id),
        30,
    )


def everything_written(folder: Path) -> bytes:
    """Every byte under var/ but the master key's own folder."""
    parts = [
        path.read_bytes()
        for path in sorted((folder / "var").rglob("*"))
        if path.is_file() and "secrets" not in path.parts
    ]
    return b"\n".join(parts)


def test_an_operator_brings_an_empty_desk_to_trade(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    desk.setup("--no-demo")
    desk.start()
    with sync_playwright() as playwright, a_page(launch(playwright)) as page:
        sign_in(page, desk)
        kis = register(page, desk, "한투 미국", "한국투자", "미국", CANARIES)
        ls = register(page, desk, "엘에스 국내", "LS", "KRX", LS_CANARIES)
        write_rule(page, desk, "한투 미국", kis, RULE.replace("SYMBOL", "AAPL"))
        write_rule(page, desk, "엘에스 국내", ls, RULE.replace("SYMBOL", "005930"))
        start_account(page, desk, kis)
        start_account(page, desk, ls)

        # the screen shows what happened, by itself: nobody reloads
        page.goto(f"{desk.console_url}/orders")
        page.wait_for_selector("[data-table=orders] :text('AAPL')", timeout=120_000)
        page.wait_for_selector("[data-table=orders] :text('005930')", timeout=120_000)
        page.goto(f"{desk.console_url}/positions")
        page.wait_for_selector("[data-table=positions] :text('AAPL')", timeout=120_000)
        page.goto(f"{desk.console_url}/logs")
        page.wait_for_selector("[data-table=logs] tbody tr", timeout=120_000)
        seen = page.content()

    assert {event["symbol"] for event in desk.ledger("FILL")} == {"AAPL", "005930"}
    held = desk.rows("SELECT symbol, qty FROM positions ORDER BY symbol")
    assert [(row["symbol"], row["qty"]) for row in held] == [("005930", 2), ("AAPL", 2)]
    desk.stop()
    written = everything_written(desk.folder)
    for secret in (*CANARIES[:2], *LS_CANARIES, CANARIES[2].replace("-", "")[:8] + "01"):
        assert secret not in seen
        assert secret.encode() not in written, "a secret stands in clear under var/"
