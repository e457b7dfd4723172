"""What documents point at: files, symbols, tables, routes, verbs and settings, found in the product itself.

The grammar of a reference: `dir/file.py:Name` or `dir/file.py:Class.member` · `file:path` · `table:name[.column]` ·
`env:NAME` · `route:/path` · `cli:noun verb` · `make:target` · `program:name` · `pin:package`.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from sqlmodel import SQLModel

import shared.models  # noqa: F401  (registers the tables)
from console.api.health import health_routes
from console.cli.__main__ import NOUNS, VERBS
from console.cli.typed import environment_named, keys_from_environment
from console.wiring import Wiring
from shared.config import load_settings
from shared.domain.account import BrokerName

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("file", "table", "env", "route", "cli", "make", "program", "pin")
SYMBOL = re.compile(r"[\w./-]+\.py:[A-Za-z_][\w.]*")


def is_reference(text: str) -> bool:
    """Whether `text` is written in the grammar above."""
    kind, colon, _ = text.partition(":")
    return bool(colon) and (kind in KINDS or SYMBOL.fullmatch(text) is not None)


def exists(reference: str) -> bool:
    """Whether what `reference` names is in the product today."""
    kind, _, name = reference.partition(":")
    if kind not in KINDS:
        return name in symbols(kind)
    found = {
        "file": lambda: (ROOT / name).exists(),
        "table": lambda: name in tables(),
        "env": lambda: name in settings_read() and name in settings_offered(),
        "route": lambda: name in routes(),
        "cli": lambda: name in cli_verbs(),
        "make": lambda: name in make_targets(),
        "program": lambda: name in programs(),
        "pin": lambda: name.lower() in pins(),
    }
    return bool(found[kind]())


@cache
def symbols(path: str) -> frozenset[str]:
    """Names a module defines: functions, classes, constants, and `Class.member`; empty when there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = (f"{one.name}.{name}" for one in tree.body if isinstance(one, ast.ClassDef) for name in _names(one.body))
    return frozenset(_names(tree.body)) | frozenset(inside)


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for one in body:
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


@cache
def tables() -> frozenset[str]:
    """`name` and `name.column` of every table."""
    every = SQLModel.metadata.tables.values()
    return frozenset(table.name for table in every) | frozenset(
        f"{table.name}.{column.name}" for table in every for column in table.columns
    )


class _Asked(dict[str, str]):
    """An environment that remembers what was read from it."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


@cache
def settings_read() -> frozenset[str]:
    """Every setting the product reads, found by letting it read them."""
    asked = _Asked(
        {f"{broker}_{field}": "x" for broker in BrokerName for field in ("APP_KEY", "APP_SECRET", "ACCOUNT_NO")}
    )
    load_settings(asked)
    for broker in BrokerName:
        keys_from_environment(asked, broker)
        environment_named(asked, broker)
    return frozenset(asked.names)


@cache
def settings_offered() -> frozenset[str]:
    """Every setting .env.example names."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.M))


@cache
def routes() -> frozenset[str]:
    """Paths the console serves: its routes, the gate's own pages, and the pages of its menu."""
    own = {route.path for route in health_routes(cast(Wiring, None))}  # bound to a process only when asked
    own |= {path for file in (ROOT / "console" / "api").rglob("*.py") for path in _declared_paths(file)}
    gate = _compared_paths(ROOT / "console" / "gate.py")
    return frozenset(own | gate | {f"/{one}" for one in _page_paths(ROOT / "console" / "app.py")})


def _declared_paths(path: Path) -> set[str]:
    """First arguments that are paths: `Route("/x", …)` and `@router.get("/x")` alike."""
    calls = [one for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(one, ast.Call)]
    firsts = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    return {one for one in firsts if isinstance(one, str) and one.startswith("/")}


def _compared_paths(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sides = [side for one in ast.walk(tree) if isinstance(one, ast.Compare) for side in one.comparators]
    texts = {side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)}
    return {text for text in texts if re.fullmatch(r"/[a-z]+", text)}


def _page_paths(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
    return {
        str(word.value.value)
        for call in calls
        for word in call.keywords
        if word.arg == "url_path" and isinstance(word.value, ast.Constant)
    }


@cache
def cli_verbs() -> frozenset[str]:
    """`verb`, `noun` and `noun verb` of the command line."""
    nouns = {name: import_module(module).app for name, (module, _) in NOUNS.items()}
    pairs = {
        f"{noun} {command.name or command.callback.__name__}"
        for noun, app in nouns.items()
        for command in app.registered_commands
    }
    return frozenset(VERBS) | frozenset(nouns) | frozenset(pairs)


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@cache
def programs() -> frozenset[str]:
    """Programs of supervisord.conf; `bot-N` is added at run time by fleet."""
    parser = configparser.RawConfigParser(comment_prefixes=(";",))
    parser.read(ROOT / "supervisord.conf", encoding="utf-8")
    sections = (section.partition(":") for section in parser.sections())
    return frozenset(name for kind, _, name in sections if kind in ("program", "eventlistener"))


@cache
def pins() -> frozenset[str]:
    """Packages named in requirements*.in, in lower case."""
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.in", "requirements-dev.in"))
    return frozenset(name.lower() for name in re.findall(r"^([A-Za-z][\w.-]*)", text, re.M))
