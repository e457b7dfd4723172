"""A whole desk in a folder of its own: the checkout's files, real supervisord, exchange, bots and console."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from shared.config import ROOT
from tests.console.cli.terminal import check_answer

OURS = ("KIS_", "LS_", "LETSTRADE_", "SUPABASE_", "TELEGRAM_", "DATABASE_URL", "SUPERVISOR_")


def wait_until(what: str, check: Callable[[], Any], seconds: float = 150.0, pause: float = 0.2) -> Any:
    """Poll `check` until it answers something true; name what never came."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s: {what}")
        time.sleep(pause)


@dataclass
class Desk:
    """One desk; ports are `offset` above the contract's."""

    folder: Path
    offset: int
    database_url: str | None = None
    extra_env: dict[str, str] = field(default_factory=dict)
    password: str = ""
    _supervisord: subprocess.Popen[bytes] | None = None

    @property
    def python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{8501 + self.offset}"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        given = {"LETSTRADE_PORT": str(8501 + self.offset), "LETSTRADE_EXCHANGE_PORT_OFFSET": str(self.offset)}
        if self.database_url:
            given["SUPABASE_DB_URL"] = self.database_url
        return {**kept, **given, **self.extra_env}

    def make(self) -> None:
        """Copy what the checkout would give a newcomer; the virtualenv is the one that runs this test."""
        self.folder.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and not name.startswith("tests/") and (ROOT / name).is_file():
                target = self.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        (self.folder / ".venv").symlink_to(sys.prefix)

    def setup(self, *options: str) -> dict[str, Any]:
        made = self.cli("setup", *options)
        self.password = made["password"] or self.password
        return made

    def start(self) -> None:
        """supervisord in the foreground of a session of its own, as `make run` does."""
        for answers in (self.console_answers, self.exchange_answers):
            assert not answers(), "another desk holds these ports: a test that was killed left it behind"
        with (self.folder / "run.log").open("ab") as log:
            self._supervisord = subprocess.Popen(
                [str(self.folder / ".venv" / "bin" / "supervisord"), "-n", "-c", "supervisord.conf"],
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the console answers", self.console_answers)
        wait_until("the exchange answers", self.exchange_answers)

    def stop(self) -> None:
        """Ctrl-C."""
        if self._supervisord is not None and self._supervisord.poll() is None:
            self._supervisord.send_signal(signal.SIGINT)
            try:
                self._supervisord.wait(120)
            except subprocess.TimeoutExpired:
                self._supervisord.kill()
                raise
        self._supervisord = None

    def console_answers(self) -> bool:
        try:
            return httpx.get(f"{self.console_url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def exchange_answers(self) -> bool:
        try:
            return httpx.get(f"{self.admin}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{18900 + self.offset}"

    def ledger(self, kind: str = "", account: str = "") -> list[dict[str, Any]]:
        """The exchange's ground truth."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            query = {
                "after": str(after),
                **({"type": kind} if kind else {}),
                **({"account": account} if account else {}),
            }
            answer = httpx.get(f"{self.admin}/ledger", params=query, timeout=60).json()
            if not answer["events"]:
                return found
            found += answer["events"]
            after = answer["events"][-1]["seq"]

    def cli(self, *words: str, code: int = 0, stdin: str = "") -> Any:
        """One verb with --json."""
        done = subprocess.run(
            [self.python, "-m", "console.cli", *words, "--json"],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            input=stdin,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        check_answer(words, code, done.stdout)
        return json.loads(done.stdout)

    def supervisorctl(self, *words: str) -> str:
        done = subprocess.run(
            [str(self.folder / ".venv" / "bin" / "supervisorctl"), *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    def program(self, name: str) -> tuple[str, int]:
        """(state, pid) as plain `supervisorctl status` tells."""
        match = re.search(rf"^{name}(?::{name})?\s+(\w+)(?:\s+pid (\d+))?", self.supervisorctl("status"), re.M)
        return (match[1], int(match[2] or 0)) if match else ("ABSENT", 0)

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Read the store, whatever it runs on."""
        from sqlalchemy import create_engine, text

        url = self.database_url or f"sqlite:///{self.folder / 'var' / 'letstrade.db'}"
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                return [dict(row._mapping) for row in connection.execute(text(sql), values)]
        finally:
            engine.dispose()

    def journal_fills(self, account_id: int) -> list[dict[str, Any]]:
        """Fills in a stopped bot's journal (a live one is locked)."""
        return self.journal_rows(account_id, "SELECT * FROM fills ORDER BY seq")

    def journal_rows(self, account_id: int, sql: str) -> list[dict[str, Any]]:
        """Read a stopped bot's journal (a live one is locked)."""
        return self.journal_rows_at(self.folder / "var" / "accounts" / str(account_id) / "journal.db", sql)

    def journal_rows_at(self, path: Path, sql: str) -> list[dict[str, Any]]:
        connection = sqlite3.connect(path)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql)]
        finally:
            connection.close()

    def tail(self) -> str:
        """The last lines of every log, for a failed test."""
        parts = []
        for path in sorted((self.folder / "var" / "log").glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
            parts.append(f"--- {path.name}\n" + "\n".join(line[:400] for line in lines))
        return "\n".join(parts)


def by_order(fills: list[dict[str, Any]], order: str, quantity: str) -> dict[str, tuple[int, Decimal]]:
    """Σ shares and Σ money per broker order number, whoever tells it."""
    total: dict[str, tuple[int, Decimal]] = {}
    for fill in fills:
        number = str(fill[order]).lstrip("0")
        shares, money = total.get(number, (0, Decimal(0)))
        total[number] = (
            shares + int(fill[quantity]),
            money + int(fill[quantity]) * Decimal(str(fill["price"])),
        )
    return total
