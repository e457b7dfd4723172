"""`schema`: the JSON Schema of what a verb answers with --json."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from console.cli import answers
from console.cli.answer_shapes import ANSWERS
from console.cli.output import AsJson


def schema(
    verb: Annotated[
        list[str] | None, typer.Argument(metavar="[VERB]", help="order list; 없으면 모두 · absent: all")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """동사의 --json 답을 JSON Schema로 · What a verb answers with --json, as JSON Schema."""
    name = " ".join(verb or ())
    if name and name not in ANSWERS:
        raise typer.BadParameter(f"{name}: {', '.join(sorted(ANSWERS))}")
    sys.stdout.write(in_lines(answers.schema_of(name) if name else answers.published()) + "\n")


def in_lines(document: dict[str, Any]) -> str:
    """The document as JSON, a line for each thing that it names."""

    def plain(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    parts = []
    for name, value in document.items():
        lines = (
            ",\n".join(f"  {plain(one)}: {plain(what)}" for one, what in value.items())
            if isinstance(value, dict)
            else ""
        )
        parts.append(f"{plain(name)}: " + (f"{{\n{lines}\n}}" if lines else plain(value)))
    return "{" + ",\n".join(parts) + "}"
