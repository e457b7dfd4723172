"""The real console process on a desk, and a real browser in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from shared.models import Role
from tests.console import desks
from tests.console.desks import Desk

expect.set_options(timeout=120_000)  # a busy machine draws late; it must not fail for that
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def start_console(
    desk: Desk, log: Path | None = None, program: tuple[str, ...] = ("-m", "console.asgi")
) -> subprocess.Popen[bytes]:
    settings = desk.wiring.settings
    env = {
        **os.environ,
        "LETSTRADE_HOME": str(settings.home),
        "LETSTRADE_PORT": str(settings.port),
        "DATABASE_URL": settings.database_url,
    }
    out = subprocess.PIPE if log is None else log.open("wb")
    return subprocess.Popen([sys.executable, *program], cwd=ROOT, env=env, stdout=out, stderr=out)


def wait_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the console ended with {process.returncode}"
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the console did not get healthy")


@contextmanager
def console_on(desk: Desk, *, beating: bool = True, program: tuple[str, ...] = ("-m", "console.asgi")) -> Iterator[str]:
    """Run the console on the desk's store; yields its address. `beating` keeps living bots alive meanwhile."""
    settings = desk.wiring.settings
    process = start_console(desk, settings.home / "console.log", program)
    url, stop = f"http://127.0.0.1:{settings.port}", threading.Event()
    bots = threading.Thread(target=_keep_beating, args=(desk, stop), daemon=True)
    try:
        wait_healthy(url, process)
        if beating:
            bots.start()
        yield url
    finally:
        stop.set()
        process.terminate()
        process.wait(timeout=120)
        if bots.is_alive():
            bots.join(timeout=120)


def _keep_beating(desk: Desk, stop: threading.Event) -> None:
    while not stop.wait(2):
        desks.beat_again(desk)


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


BROWSER = [pytest.mark.chromium, pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")]


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGS)


@contextmanager
def operator(browser: Browser, url: str, role: Role = Role.ADMIN) -> Iterator[Page]:
    """A signed-in person's own window."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ko")
    opened = context.new_page()
    opened.set_default_timeout(120_000)
    sign_in(opened, url, role)
    yield opened
    context.close()


def sign_in(page: Page, url: str, role: Role = Role.ADMIN, lang: str = "ko") -> None:
    page.goto(f"{url}/login?lang={lang}")
    page.fill("#email", f"{role.lower()}@desk.local")
    page.fill("#password", desks.PASSWORDS[role])
    page.click("button[type=submit]")
    page.wait_for_selector("[data-table=bar]", timeout=120_000)


def settled(page: Page) -> None:
    """Wait until the page's own tables are drawn and the script rests."""
    page.wait_for_selector("[data-table=bar]", timeout=120_000)
    page.wait_for_selector("[data-testid=stStatusWidget]", state="detached", timeout=120_000)
    page.wait_for_selector("[data-testid=stSkeleton]", state="detached", timeout=120_000)
    page.wait_for_timeout(700)


def pick(page: Page, label: str, text: str) -> None:
    """Choose the option holding `text` from the list labelled `label`.

    Bring the list into view first and let its scrolling end: a list closes when the page scrolls under it, and the
    scroll that a click causes may be told after the click.
    """
    box = page.get_by_role("combobox", name=label, exact=True)
    box.scroll_into_view_if_needed()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    option = page.get_by_role("option").filter(has_text=text).first
    box.click()
    expect(box).to_have_attribute("aria-expanded", "true")
    option.click()
