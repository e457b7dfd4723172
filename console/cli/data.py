"""`data`: bars kept on this machine for backtests. Needs no desk and no running program."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.output import AsJson, listing
from shared.clock import SystemClock
from shared.config import ROOT, load_settings
from shared.domain.account import Market

app = typer.Typer(help="백테스트용 봉 · bars for backtests", no_args_is_help=True)


@app.command(name="import")
def import_bars(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".csv .parquet")],
    symbol: Annotated[str, typer.Option(help="종목 · symbol")],
    market: Annotated[Market, typer.Option(case_sensitive=False, help="시장 · market")],
    actions: Annotated[
        bool, typer.Option("--actions", help="배당·분할 열을 씁니다 · use dividend and split columns")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """파일의 봉을 검사하고 간직합니다 · Judge the bars of a file and keep them."""
    from bots.backtest import library

    found = library.keep(load_settings().home, market, symbol, ROOT / file, actions=actions)
    output.show({**asdict(found), "path": str(found.path)}, as_json)


@app.command(name="list")
def list_bars(as_json: AsJson = False) -> None:
    """간직한 봉 · What is kept."""
    from bots.backtest import library

    rows = [{**asdict(one), "path": str(one.path)} for one in library.listed(load_settings().home)]
    output.show(listing(rows, SystemClock().wall_now()), as_json)
