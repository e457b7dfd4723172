"""`audit`: the trail of who did what, checked and exported."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import FAILED, AsJson
from console.services import trail_check
from shared.models import AuditLog

app = typer.Typer(help="감사 기록 · audit trail", no_args_is_help=True)
_COLUMNS = (
    *("id", "at", "actor", "actor_user_id", "action", "target", "account_id", "before", "after", "reason", "source"),
    *("previous_hash", "row_hash"),
)


@app.command()
def verify(as_json: AsJson = False) -> int:
    """처음부터 끝까지 사슬을 확인합니다 · Check the chain from the first row to the last."""
    desk = open_desk()
    found = trail_check.verify(desk.wiring, desk.actor)
    output.show(asdict(found), as_json)
    return output.DONE if found.ok else FAILED


@app.command()
def export(
    to: Annotated[Path | None, typer.Option("--to", help="파일; 없으면 화면으로 · a file, else stdout")] = None,
    as_json: AsJson = False,
) -> None:
    """모든 줄을 JSON 줄로 내보냅니다 · Every row as one JSON line."""
    desk = open_desk()
    if to is None and as_json:
        output.show(
            output.listing([_row(one) for one in trail_check.everything(desk.wiring, desk.actor)], desk.now), True
        )
        return
    if to is None:
        _write(sys.stdout, trail_check.everything(desk.wiring, desk.actor))
        return
    with to.open("w", encoding="utf-8") as file:
        rows = _write(file, trail_check.everything(desk.wiring, desk.actor))
    to.chmod(0o600)
    output.show({"file": str(to), "rows": rows}, as_json)


def _write(stream: TextIO, rows: Any) -> int:
    count = 0
    for row in rows:
        stream.write(json.dumps(output.to_plain(_row(row)), ensure_ascii=False) + "\n")
        count += 1
    return count


def _row(one: AuditLog) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _COLUMNS}
