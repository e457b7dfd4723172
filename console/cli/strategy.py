"""`strategy check`: a Python strategy behind its fence, on sample bars; needs no desk and no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.output import DONE, FAILED, AsJson, tell
from shared.config import ROOT
from shared.domain.errors import ConfigError, TradingError
from shared.domain.rule.model import EvaluateOn
from shared.domain.rule.parse import parse_python
from shared.domain.rule.problem import RuleInvalid

app = typer.Typer(help="파이썬 전략 · Python strategies", no_args_is_help=True)
app.callback()(lambda: None)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="on_bar(ctx)가 있는 파일 · a file with on_bar(ctx)", metavar="FILE.py")],
    as_json: AsJson = False,
) -> int:
    """표본 봉에서 시험해 봅니다 · Run it on sample bars inside its sandbox."""
    from bots.rules.sandbox.check import try_out

    told: dict[str, Any] = {"ok": False, "fence": "", "bars": 0, "signals": 0, "error": None}
    error: TradingError | None = None
    try:
        rule = parse_python(_text(file))
    except ConfigError as e:
        error = e
    else:
        tried = try_out(rule)
        told |= {"ok": tried.error is None, "fence": tried.fence, "bars": tried.bars, "signals": tried.signals}
        error = tried.error
        if error is None and "on_tick" in tried.calls and rule.evaluate is not EvaluateOn.TICK:
            tell("! on_tick은 strategy에 evaluate: tick이 있어야 불립니다 · on_tick is called with evaluate: tick only")
    if error is not None:
        named = {"what": error.what, "why": error.why, "now": error.now}
        line = error.problems[0].line if isinstance(error, RuleInvalid) else getattr(error, "line", None)
        told["error"] = {"code": error.code, "line": line, **named}
    if as_json:
        output.print_json(told)
    else:
        output.show({name: value for name, value in told.items() if name != "error"}, as_json)
        if error is not None:
            output.fail(error, as_json)
    return DONE if told["ok"] else FAILED


def _text(file: Path) -> bytes:
    try:
        return (ROOT / file).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file}을(를) 읽을 수 없습니다 (cannot be read)",
            error.strerror or "",
            "파일을 확인하십시오 (check the file)",
            code="unreadable",
        ) from error
