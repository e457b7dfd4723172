"""`market check`: ask the market rules the questions of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli.output import DONE, REFUSED, JsonFlag, document, failure, items, say
from shared.calendars import OVERRIDES_NAME, load
from shared.calendars.cases import check_file
from shared.config import ROOT, load_settings

app = typer.Typer(help="시장 규칙 · market rules", no_args_is_help=True)
app.callback()(lambda: None)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="market,instant_utc,query,expected", metavar="FILE.csv")],
    as_json: JsonFlag = False,
) -> int:
    """질문 파일의 답을 맞춰 봅니다 · Compare the rules' answers with the file's."""
    report = check_file(ROOT / file, load(load_settings().home / OVERRIDES_NAME))
    error = report.malformed
    if as_json:
        told = {"error": {"code": error.code, "what": error.what, "why": error.why, "now": error.now}} if error else {}
        document({"cases": report.cases, "wrong": report.wrong, **told})
    else:
        rows = [{"row": one.row, "expected": one.expected, "got": one.got} for one in report.wrong]
        items(rows, as_json=False)
        say(f"{report.cases} cases, {len(rows)} wrong")
        if error is not None:
            failure(error, as_json=False)
    return REFUSED if report.wrong else DONE
