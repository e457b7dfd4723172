"""How a verb answers: tables for people, one JSON document for programs; errors with what, why and what to do now.

stdout carries the answer only, stderr everything else. Exit 0 done, 1 refused or failed, 2 usage, 3 outcome unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from shared.domain.errors import OutcomeUnknown, TradingError

DONE, REFUSED, USAGE, UNKNOWN = 0, 1, 2, 3

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

_people = Console(stderr=True)


def say(text: str) -> None:
    """Tell the person something beside the answer (stderr)."""
    _people.print(text, highlight=False, markup=False)


def document(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def answer(value: Mapping[str, Any], *, as_json: bool) -> None:
    """Answer with one object."""
    if as_json:
        document(value)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, content in value.items():
        table.add_row(name, _cell(content))
    _stdout().print(table)


def items(rows: Sequence[Mapping[str, Any]], *, as_json: bool, as_of: datetime | None = None) -> None:
    """Answer with a list: `{"items": […], "as_of": t}`; the names are the table's column names."""
    if as_json:
        document({"items": list(rows), "as_of": as_of})
        return
    if not rows:
        say("— 없음 (none)")
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="right" if _is_number(rows[0][name]) else "left")
    for row in rows:
        table.add_row(*(_cell(content) for content in row.values()))
    _stdout().print(table)


def failure(error: TradingError, *, as_json: bool) -> int:
    """Print the error in three parts and return the exit code it means."""
    if as_json:
        document({"error": {"code": error.code, "what": error.what, "why": error.why, "now": error.now}})
    else:
        for part in (error.what, error.why, error.now):
            if part:
                say(part)
    return UNKNOWN if isinstance(error, OutcomeUnknown) else REFUSED


def _stdout() -> Console:
    return Console(file=sys.stdout, highlight=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return value.astimezone().isoformat(sep=" ", timespec="seconds")
    return str(value.value if isinstance(value, Enum) else value)


def _plain(value: Any) -> Any:
    """Live money travels as text: no reader turns it into a float by accident."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
