"""Planted secrets appear in nothing that leaves the house: API, command line, exports, support bundle, Telegram, metrics."""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path

import httpx
from starlette.applications import Starlette

from console.api.app import api_app, api_routes
from console.services import tokens
from console.services.tokens import Scope
from console.telegram.commands import COMMANDS, Asked
from console.telegram.commands import Desk as Chat
from shared.config import ROOT
from shared.db import writing
from shared.models import Role
from shared.store.alerts import raise_alert
from tests.console.cli.terminal import Terminal
from tests.console.desks import CANARIES, Desk

READS = [
    "account list", "account show 1", "rule list", "rule show 1", "rule explain 1", "bot status", "bot logs 1",
    "order list", "fills list", "kill status", "alerts list", "user list", "token list", "webhook list",
    "positions 1", "balance 1", "report daily", "report tax --year 2026", "audit verify", "audit export", "doctor",
    "db check", "backtest jobs", "data list", "quote 1 AAPL",
]  # fmt: skip


def held(text: str) -> list[str]:
    return [one for one in CANARIES if one in text]


async def test_the_api_and_the_metrics_hold_no_secret(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    token = tokens.add(desk.wiring, admin, desk.users[Role.ADMIN], "t", list(Scope), days=1)[1]
    with writing(desk.wiring.engine) as session:
        alert = raise_alert(session, desk.wiring.clock.wall_now(), kind="BOT_HELD", severity="info", dedup_key="x")
    paths = api_app(desk.wiring).openapi()["paths"]
    gets = [f"/api{path}" for path, verbs in paths.items() if "get" in verbs and not path.endswith("/stream")]
    transport = httpx.ASGITransport(Starlette(routes=api_routes(desk.wiring)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:16501") as client:
        client.headers["authorization"] = f"Bearer {token}"
        told = ""
        for path in [*gets, "/metrics", "/api/openapi.json"]:
            answer = await client.get(re.sub(r"{\w+}", "1", path).replace("/alerts/1", f"/alerts/{alert}"))
            assert answer.status_code == 200, path
            told += answer.text
    assert "4321-01" in told and not held(told)


def test_the_command_line_and_what_it_writes_hold_no_secret(desk: Desk, tmp_path: Path) -> None:
    terminal = Terminal(desk.wiring.settings.home, desk.wiring.settings.database_url)
    told = ""
    for words in READS:
        for form in ([], ["--json"]):
            said = terminal.run(*words.split(), *form)
            assert said.code in {0, 1}, (words, said)
            told += said.out + said.err
    bundle, kept = tmp_path / "bundle.zip", tmp_path / "desk.backup"
    terminal.json("support-bundle", "--to", str(bundle))
    with zipfile.ZipFile(bundle) as files:
        told += "".join(files.read(name).decode() for name in files.namelist())
    terminal.json("db", "backup", str(kept))
    told += gzip.decompress(kept.read_bytes()).decode()
    assert "AAPL" in told and not held(told)


def test_the_support_bundle_masks_what_a_log_let_through(desk: Desk, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    log = tmp_path / "var" / "log"
    log.mkdir(parents=True)
    leaked = [*CANARIES, "1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawXY"]
    whole = [one for one in leaked if one.startswith("PS") or "-" in one or ":" in one]
    (log / "bot-1.log").write_text("\n".join(f"said {one} aloud" for one in whole), encoding="utf-8")
    monkeypatch.setattr("console.cli.support.ROOT", tmp_path)
    file = tmp_path / "bundle.zip"
    Terminal(desk.wiring.settings.home, desk.wiring.settings.database_url).json("support-bundle", "--to", str(file))
    with zipfile.ZipFile(file) as files:
        told = files.read("log/bot-1.log").decode()
    assert told.count("***") == len(whole) and not [one for one in whole if one in told]
    assert ROOT not in file.parents


def test_telegram_holds_no_secret(desk: Desk) -> None:
    chat = Chat(desk.wiring)
    told = "".join(
        chat.answer(
            desk.actor(Role.ADMIN), Asked(f"/{name} 1" if name in {"cancel", "flatten"} else f"/{name}", name)
        ).text
        for name in COMMANDS
    )
    assert "AAPL" in told and not held(told)
