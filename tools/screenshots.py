"""Draw the pictures of docs/screenshots: a prepared desk, the real console process, a headless Chromium.

python tools/screenshots.py [--out docs/screenshots] [--desks normal,degraded,empty] [--pages control,account] [--lang ko]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shared.models import Role  # noqa: E402
from tests.console import desks  # noqa: E402

PAGES = {
    "control": "/",
    "account": "/account?account=1",
    "positions": "/positions",
    "orders": "/orders",
    "rules": "/rules",
    "alerts": "/alerts",
    "logs": "/logs",
    "account-new": "/account-new",
}
SIZES = {"1366": (1366, 768), "390": (390, 844)}
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def console_on(desk: desks.Desk) -> Iterator[str]:
    """Run the real console process on the desk's store; yields its address."""
    settings = desk.wiring.settings
    env = {
        **os.environ,
        "LETSTRADE_HOME": str(settings.home),
        "LETSTRADE_PORT": str(settings.port),
        "DATABASE_URL": settings.database_url,
    }
    log = (settings.home / "console.log").open("w")
    process = subprocess.Popen([sys.executable, "-m", "console.asgi"], cwd=ROOT, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{settings.port}"
    stop = threading.Event()
    bots = threading.Thread(target=_keep_beating, args=(desk, stop))
    try:
        _wait_healthy(address, process)
        bots.start()
        yield address
    finally:
        stop.set()
        process.terminate()
        process.wait(timeout=30)
        if bots.is_alive():
            bots.join()
        log.close()


def _keep_beating(desk: desks.Desk, stop: threading.Event) -> None:
    while not stop.wait(2):
        desks.beat_again(desk)


def _wait_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the console ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the console did not get healthy in 40 s")


def launch(playwright: object) -> Browser:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    return playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)  # type: ignore[attr-defined]


def sign_in(page: Page, address: str, role: Role = Role.ADMIN) -> None:
    page.goto(f"{address}/login")
    page.fill("#email", f"{role.lower()}@desk.local")
    page.fill("#password", desks.PASSWORDS[role])
    page.click("button[type=submit]")
    page.wait_for_selector("[data-table=bar]", timeout=30_000)


def settled(page: Page) -> None:
    """Wait until the page's own tables are drawn and the script rests."""
    page.wait_for_selector("[data-table=bar]", timeout=30_000)
    page.wait_for_selector("[data-testid=stSidebar], [data-testid=stHeader]", state="attached")
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=20_000)
    page.wait_for_timeout(700)


def shoot(desk_name: str, names: list[str], out: Path, lang: str, scheme: str, port: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="letstrade-shots-"))
    try:
        desk = getattr(desks, f"{desk_name}_desk")(folder, port)
        with console_on(desk) as address, sync_playwright() as playwright:
            browser = launch(playwright)
            for size, (width, height) in SIZES.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, locale=lang, device_scale_factor=1
                )
                page = context.new_page()
                page.goto(f"{address}/login?lang={lang}")
                page.screenshot(path=out / f"login-{size}.png")
                sign_in(page, address)
                for name in names:
                    page.goto(address + PAGES[name])
                    settled(page)
                    page.screenshot(path=out / f"{name}-{desk_name}-{size}.png", full_page=size == "390")
                context.close()
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--desks", default="normal,degraded,empty")
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--lang", default="ko")
    parser.add_argument("--scheme", default="light", choices=["light", "dark"])
    parser.add_argument("--port", type=int, default=16550)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.desks.split(","):
        shoot(name, chosen.pages.split(","), chosen.out, chosen.lang, chosen.scheme, chosen.port)


if __name__ == "__main__":
    main()
