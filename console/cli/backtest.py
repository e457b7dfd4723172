"""`backtest run`: a rule over a file of bars; needs no desk and no running program."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.output import AsJson
from console.cli.rules import read
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.rule.parse import parse_rule

app = typer.Typer(help="백테스트 · backtests", no_args_is_help=True)
app.callback()(lambda: None)


class FillAt(StrEnum):
    NEXT_OPEN = "next_open"
    CLOSE = "close"


class CostsNamed(StrEnum):
    NONE = "none"
    DEFAULT = "default"


class Engine(StrEnum):
    FAST = "fast"
    REPLAY = "replay"


@app.command()
def run(
    rule: Annotated[Path, typer.Option(metavar="RULE", help="규칙 파일 · rule file (.yaml .json)")],
    data: Annotated[
        Path, typer.Option(metavar="BARS.csv", help="date|ts_utc|timestamp, open, high, low, close, volume")
    ],
    symbol: Annotated[str, typer.Option(help="종목 · symbol")],
    market: Annotated[Market, typer.Option(case_sensitive=False, help="시장 · market")],
    cash: Annotated[float, typer.Option(help="시작 현금 · cash at the start")],
    fill: Annotated[FillAt, typer.Option(help="신호 뒤 체결 · when a signal is filled")] = FillAt.NEXT_OPEN,
    costs: Annotated[
        CostsNamed, typer.Option(help="none: 비용 없음 · no costs, slippage or volume cap")
    ] = CostsNamed.DEFAULT,
    engine: Annotated[Engine, typer.Option(help="엔진 · engine")] = Engine.FAST,
    as_json: AsJson = False,
) -> None:
    """규칙이 이 봉들에서 무엇을 했을지 · What the rule would have traded on these bars."""
    if rule.suffix == ".py":
        raise ConfigError(
            "파이썬 규칙은 아직 돌릴 수 없습니다 (Python rules cannot be run yet)",
            rule.name,
            "YAML이나 JSON 규칙을 쓰십시오 (use a YAML or JSON rule)",
            code="python_rule",
        )
    from bots import backtest  # numpy and TA-Lib: only who runs a backtest pays for them
    from bots.backtest.data import read_bars

    parsed = parse_rule(read(rule))
    bars = read_bars(ROOT / data, market)
    report = backtest.run(
        parsed, bars, symbol=symbol, market=market, cash=cash, fill=fill, costs=costs, engine=engine
    ).as_json()
    if as_json:
        # Figures of a backtest are numbers (design.md §9); live money would be text.
        sys.stdout.write(json.dumps(report, ensure_ascii=False, allow_nan=False) + "\n")
        return
    trades, warnings = report.pop("trades"), report.pop("warnings")
    output.show({"items": trades}, False)
    output.show({**report, "trades": len(trades)}, False)
    for warning in warnings:
        output.tell(f"! {warning['text']} ({warning['count']})")
