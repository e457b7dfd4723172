"""How every verb answers: tables for people, one JSON document on stdout with --json, messages on stderr.

Exit codes: 0 done · 1 refused or failed · 2 usage · 3 outcome unknown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from console.plain import to_plain
from shared.domain.errors import OutcomeUnknown, TradingError
from shared.told import told
from shared.words import LANGS

DONE, FAILED, USAGE, UNKNOWN = 0, 1, 2, 3

AsJson = Annotated[bool, typer.Option("--json", help="JSON 문서 하나로 답합니다 · Answer with one JSON document.")]


def show(document: Mapping[str, Any], as_json: bool) -> None:
    """Print the answer of a verb: `items` become a table, anything else name and value per line."""
    if as_json:
        print_json(document)
    elif "items" in document:
        _print_table(document["items"])
    else:
        for name, value in document.items():
            sys.stdout.write(f"{name}: {_cell(value)}\n")


def listing(rows: Iterable[Any], as_of: datetime) -> dict[str, Any]:
    """The document of a list."""
    return {"items": list(rows), "as_of": as_of}


def tell(message: str) -> None:
    """Say something to the person; never part of the answer."""
    sys.stderr.write(message + "\n")


@contextmanager
def progress(about: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while long work goes on: call with (done, total). Silent with --json and where nobody watches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = not quiet and sys.stderr.isatty()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), disable=not shown, transient=True) as bar:
        task = bar.add_task(about, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def fail(error: TradingError, as_json: bool) -> int:
    """Print what went wrong, why and what to do now; return the exit code."""
    if as_json:
        print_json({"error": {"code": error.code, "what": error.what, "why": error.why, "now": error.now}})
    else:
        what, why, now = (_both(text) for text in (error.what, error.why, error.now))
        tell("\n  ".join(line for line in (f"✗ {what}", why, f"→ {now}" if now else "") if line))
    return UNKNOWN if isinstance(error, OutcomeUnknown) else FAILED


def _both(text: str) -> str:
    """Korean first, where a sentence stands in English alone."""
    korean = told(text, LANGS[0])
    return text if korean == text else f"{korean} · {text}"


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(to_plain(document), ensure_ascii=False, allow_nan=False) + "\n")


def _print_table(rows: list[Mapping[str, Any]]) -> None:
    """Columns that are empty in every row are left out, rows may differ in theirs; into a pipe nothing is folded."""
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    if not rows:
        console.print("—")
        return
    every = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in every if any(row.get(name) not in (None, "") for row in rows)]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(row.get(name))) for name in names))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal) and value != round(value, 6):  # a quotient, not an amount
        return f"{value:.4f}"
    plain = to_plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, (dict, list)) else str(plain)
