"""`data`: bars kept on this machine for backtests. Needs no desk and no running program."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.output import AsJson, listing
from shared.clock import SystemClock
from shared.config import ROOT, load_settings
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe

app = typer.Typer(help="백테스트용 봉 · bars for backtests", no_args_is_help=True)


@app.command(name="import")
def import_bars(
    symbol: Annotated[str, typer.Option(help="종목 · symbol")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=".csv .parquet")] = None,
    market: Annotated[Market | None, typer.Option(case_sensitive=False, help="시장 (파일) · market (file)")] = None,
    actions: Annotated[
        bool, typer.Option("--actions", help="배당·분할 열을 씁니다 · use dividend and split columns")
    ] = False,
    account: Annotated[str, typer.Option(help="이 계좌의 증권사에서 받기 · through this account's broker")] = "",
    timeframe: Annotated[Timeframe, typer.Option(help="봉 (증권사) · bars (broker)")] = Timeframe.D1,
    count: Annotated[int, typer.Option(min=1, max=20_000, help="봉 수 (증권사) · how many (broker)")] = 500,
    venue: Annotated[
        Venue | None, typer.Option(case_sensitive=False, help="NXT · SOR(통합), 국내 (증권사) · Korean venue (broker)")
    ] = None,
    max_age: Annotated[
        int, typer.Option(min=0, help="이만큼 새것이면 다시 묻지 않음, 분 · no call while so fresh")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """파일이나 증권사의 봉을 검사하고 간직합니다 · Judge the bars of a file or a broker and keep them."""
    from bots.backtest import library

    if account:
        output.show(_through(account, symbol, timeframe, count, max_age, venue, quiet=as_json), as_json)
        return
    if file is None or market is None:
        raise ConfigError(
            "FILE --market", "파일도 계좌도 없습니다 · neither a file nor an account", "FILE --market KRX | --account 1"
        )
    found = library.keep(load_settings().home, market, symbol, ROOT / file, actions=actions)
    output.show({**asdict(found), "path": str(found.path)}, as_json)


def _through(
    account: str, symbol: str, timeframe: Timeframe, count: int, max_age: int, venue: Venue | None, *, quiet: bool
) -> dict[str, Any]:
    """Ask the account's bot, unless what is kept is young. Prices of the local exchange are kept apart."""
    from bots.backtest import library
    from console.cli.desk import open_desk
    from console.services import bars

    desk = open_desk()
    account_id = desk.account(account)
    market, environment = bars.account_of(desk.wiring, desk.actor, account_id)
    home = library.home_of(desk.wiring.settings.home, environment, venue)
    age = library.age_s(home, market, symbol, timeframe, desk.now)
    found = None
    if age is None or age > max_age * 60:
        rows: list[Any] = []
        with output.progress("봉 · bars", quiet=quiet) as told:
            for page in bars.download(desk.wiring, desk.actor, account_id, symbol, timeframe, count, venue):
                rows += page
                told(len(rows), count)
        age = 0.0
        found = library.merge(home, market, symbol, timeframe, rows)
    found = found or library.described(home, market, symbol, timeframe)
    return {**asdict(found), "path": str(found.path), "environment": environment, "age_s": round(age)}


@app.command(name="list")
def list_bars(as_json: AsJson = False) -> None:
    """간직한 봉 · What is kept."""
    from bots.backtest import library

    rows = [{**asdict(one), "path": str(one.path)} for one in library.listed(load_settings().home)]
    output.show(listing(rows, SystemClock().wall_now()), as_json)
