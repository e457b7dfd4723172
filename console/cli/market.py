"""`market check`: ask the market rules the questions of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.output import AsJson
from shared.calendars import OVERRIDES_NAME, load
from shared.calendars.cases import check_file
from shared.config import ROOT, load_settings

app = typer.Typer(help="시장 규칙 · market rules", no_args_is_help=True)
app.callback()(lambda: None)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="market,instant_utc,query,expected", metavar="FILE.csv")],
    as_json: AsJson = False,
) -> int:
    """질문 파일의 답을 맞춰 봅니다 · Compare the rules' answers with the file's."""
    report = check_file(ROOT / file, load(load_settings().home / OVERRIDES_NAME))
    document = {"cases": report.cases, "wrong": report.wrong}
    if report.malformed is not None:
        error = report.malformed
        told = {"code": error.code, "what": error.what, "why": error.why, "now": error.now}
        if as_json:
            output.print_json({**document, "error": told})
        else:
            output.show(document, as_json)
            output.fail(error, as_json)
        return output.FAILED
    output.show(document, as_json)
    return output.FAILED if report.wrong else output.DONE
