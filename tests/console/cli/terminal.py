"""A terminal on a desk of its own. A command runs the program's own `main` in this process, or as a process of its own
where that is the matter (`spawn`, `start`): starting Python eighty times would be most of the tests' work."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from sqlalchemy import Engine

from console.cli.__main__ import main
from console.cli.answer_shapes import ANSWERS
from console.cli.answers import schema_of
from console.services.accounts import Keys, Limits, NewAccount, add_account
from console.services.permissions import Actor
from console.wiring import Wiring, wire
from shared import schema
from shared.config import ROOT, load_settings
from shared.crypto import write_keys
from shared.db import open_engine
from shared.domain.account import BrokerName, Environment, Market
from shared.models import Role

OURS = ("LETSTRADE", "KIS_", "LS_", "DATABASE_URL", "SUPABASE_")
SHAPED: set[str] = set()  # verbs of which an answer was held against its published schema
KEYS = "app_key=PSCANARYAPPKEY0001\napp_secret=CANARYAPPSECRET0001zzzz\naccount_no={number}\n"


@cache
def _validator(verb: str) -> Draft202012Validator:
    schema = schema_of(verb)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check_answer(words: Sequence[str], code: int, out: str) -> None:
    """Hold what was answered with --json against the published schema; an exit above 1 answers an error, 0 never."""
    verb = next((one for one in (" ".join(words[:2]), words[0]) if one in ANSWERS), None)
    document = json.loads(out)
    refused = isinstance(document, dict) and document.keys() == {"error"}
    assert refused if verb is None or code > 1 else code == 1 or not refused, (words, code, out)
    if verb is not None:
        wrong = [f"{one.json_path}: {one.message}" for one in _validator(verb).iter_errors(document)]
        told = [f"{one.json_path}: {one.message}" for error in _validator(verb).iter_errors(document)
                for one in error.context or ()]  # fmt: skip
        assert not wrong, f"{verb} answers other than its schema says: {told or wrong}"
        SHAPED.update([] if refused else [verb])


@dataclass(frozen=True, slots=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Terminal:
    home: Path
    url: str = ""  # of the store; else a file in `home`

    @property
    def env(self) -> dict[str, str]:
        return {
            "LETSTRADE_HOME": str(self.home),
            "DATABASE_URL": self.url or f"sqlite:///{self.home / 'letstrade.db'}",
        }

    @property
    def engine(self) -> Engine:
        return open_engine(self.env["DATABASE_URL"])

    def wiring(self) -> Wiring:
        return wire(load_settings(self.env))

    def run(self, *words: str, stdin: str = "", **env: str) -> Said:
        """Run `main(words)` to its end, as on a machine of its own."""
        out, err, before = io.StringIO(), io.StringIO(), (dict(os.environ), sys.stdin)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        os.environ.clear()
        os.environ.update({**clean, **self.env, **env})
        sys.stdin = io.StringIO(stdin)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(list(words))
        finally:
            os.environ.clear()
            os.environ.update(before[0])
            sys.stdin = before[1]
        if "--json" in words and out.getvalue():
            check_answer(words, code, out.getvalue())
        return Said(code, out.getvalue(), err.getvalue())

    def spawn(self, *words: str, stdin: str = "", **env: str) -> Said:
        """Run `python -m console.cli words…` to its end."""
        process = self.start(*words, **env)
        out, err = process.communicate(stdin, timeout=120)
        return Said(process.returncode, out, err)

    def json(self, *words: str, stdin: str = "", **env: str) -> Any:
        """Run a command that must succeed, with --json; return its document."""
        said = self.run(*words, "--json", stdin=stdin, **env)
        assert said.code == 0, said
        return said.json

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return subprocess.Popen(
            [sys.executable, "-m", "console.cli", *words],
            cwd=ROOT,
            env={**clean, **self.env, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def set_up(self) -> None:
        """Keys and tables, as `setup` makes them; no account."""
        write_keys(load_settings(self.env))
        engine = self.engine
        schema.upgrade(engine)
        engine.dispose()

    def add(self, nickname: str, env: Environment = Environment.SIM, number: int = 1) -> int:
        """Register a KIS US account through the service (its verb has tests of its own); return its id."""
        new = NewAccount(nickname, BrokerName.KIS, Market.US, env)
        keys = Keys(f"PSCANARYAPPKEY{number:04d}", "CANARYAPPSECRET0001zzzz", f"1234567{9 - number}-01")
        actor = Actor(None, Role.ADMIN, "cli", "tests")
        limits = Limits(None, None, None, None, None)
        return add_account(self.wiring(), actor, new, keys, limits, confirm=nickname)
