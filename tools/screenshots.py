"""Draw the pictures of docs/screenshots: a prepared desk, the real console process, a headless Chromium.

python tools/screenshots.py [--out docs/screenshots] [--desks normal,degraded,empty] [--pages control,account] [--lang ko]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.console import desks  # noqa: E402
from tests.console.served import console_on, free_port, launch, settled, sign_in  # noqa: E402

PAGES = {
    "control": "/",
    "inbox": "/inbox",
    "account": "/account?account=1",
    "positions": "/positions",
    "orders": "/orders",
    "risk": "/risk",
    "rules": "/rules",
    "profit": "/profit",
    "market": "/market",
    "system": "/system",
    "people": "/people",
    "alerts": "/alerts",
    "logs": "/logs",
    "account-new": "/account-new",
    "research": "/research",
    "schedule": "/schedule",
    "incidents": "/logs?view=incidents",
    "help": "/help",
}
SIZES = {"1366": (1366, 768), "390": (390, 844)}


def shoot(desk_name: str, names: list[str], out: Path, lang: str, scheme: str) -> None:
    for size in SIZES:  # a desk of its own each: its bots last told anything when it was made
        folder = Path(tempfile.mkdtemp(prefix="letstrade-shots-"))
        try:
            _shoot_size(folder, desk_name, size, names, out, lang, scheme)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _shoot_size(folder: Path, desk_name: str, size: str, names: list[str], out: Path, lang: str, scheme: str) -> None:
    width, height = SIZES[size]
    desk = getattr(desks, f"{desk_name}_desk")(folder, free_port())
    with console_on(desk) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=lang, device_scale_factor=1
        )
        page = context.new_page()
        page.goto(f"{address}/login?lang={lang}")
        page.screenshot(path=out / f"login-{size}.png")
        sign_in(page, address, lang=lang)
        for name in names:
            page.goto(address + PAGES[name])
            settled(page)
            page.screenshot(path=out / f"{name}-{desk_name}-{size}.png", full_page=size == "390")
        context.close()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--desks", default="normal,degraded,empty")
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--lang", default="ko")
    parser.add_argument("--scheme", default="light", choices=["light", "dark"])
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.desks.split(","):
        shoot(name, chosen.pages.split(","), chosen.out, chosen.lang, chosen.scheme)


if __name__ == "__main__":
    main()
