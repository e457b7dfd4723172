"""`backtest`: a rule over files of bars. Needs no desk and no running program."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.cli import backtest_jobs, output
from console.cli.output import FAILED, AsJson
from shared.config import ROOT, load_settings
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.instrument import InstrumentType
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_python, parse_rule

if TYPE_CHECKING:
    from bots.backtest import Limits
    from bots.backtest.data import PriceData
    from bots.backtest.sweep import Outcome, Task
    from shared.domain.rule.model import Number, Rule

app = typer.Typer(help="백테스트 · backtests", no_args_is_help=True)
for verb in (backtest_jobs.queue, backtest_jobs.jobs, backtest_jobs.job, backtest_jobs.cancel, backtest_jobs.parity):
    app.command()(verb)


class FillAt(StrEnum):
    NEXT_OPEN = "next_open"
    CLOSE = "close"


class CostsNamed(StrEnum):
    NONE = "none"
    DEFAULT = "default"


class Engine(StrEnum):
    FAST = "fast"
    REPLAY = "replay"


class Board(StrEnum):
    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"


RuleFile = Annotated[Path, typer.Option("--rule", metavar="RULE", help="규칙 파일 · rule file (.yaml .json .py)")]
DataFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--data", metavar="BARS.csv",
        help="date|ts_utc|timestamp, open, high, low, close, volume (.csv .parquet); 여러 종목 · several symbols: SYMBOL=FILE each; 없으면 `data import`한 것 · without it what `data import` keeps",
    ),
]  # fmt: skip
Symbol = Annotated[str, typer.Option(help="종목 · symbol")]
InMarket = Annotated[Market, typer.Option("--market", case_sensitive=False, help="시장 · market")]
Cash = Annotated[float, typer.Option(help="시작 현금 · cash at the start")]
Filled = Annotated[FillAt, typer.Option(help="신호 뒤 체결 · when a signal is filled")]
Priced = Annotated[CostsNamed, typer.Option(help="none: 비용 없음 · no costs, slippage or volume cap")]
Engined = Annotated[Engine, typer.Option(help="엔진 · engine")]
OnBoard = Annotated[Board, typer.Option(help="KRX 시장 구분 (세금·호가) · board: taxes and ticks")]
Kind = Annotated[InstrumentType, typer.Option("--type", help="상품 · kind of instrument")]
Actions = Annotated[bool, typer.Option("--actions", help="배당·분할 열을 씁니다 · use dividend and split columns")]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="조절값 · a parameter; 탐색은 범위도 · sweeps: NAME=5:25:1 or NAME=5,10,20"),
]  # fmt: skip


@app.command()
def run(
    rule: RuleFile,
    market: InMarket,
    cash: Cash,
    data: DataFiles = None,
    symbol: Symbol = "",
    fill: Filled = FillAt.NEXT_OPEN,
    costs: Priced = CostsNamed.DEFAULT,
    engine: Engined = Engine.FAST,
    board: OnBoard = Board.KOSPI,
    kind: Kind = InstrumentType.STOCK,
    actions: Actions = False,
    param: Params = None,
    limits: Annotated[
        Path | None, typer.Option(metavar="FILE", help="계좌 한도 (YAML), replay만 · account limits, replay only")
    ] = None,
    benchmark: Annotated[
        Path | None, typer.Option(metavar="FILE", help="견줄 지수의 봉 · bars of an index to hold the result against")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="보고서 · report page")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="거래 표 · trades as CSV")] = None,
    upload: Annotated[bool, typer.Option("--upload", help="보고서를 Supabase Storage에 · the --html page too")] = False,
    as_json: AsJson = False,
) -> None:
    """규칙이 이 봉들에서 무엇을 했을지 · What the rule would have traded on these bars."""
    from bots import backtest  # numpy and TA-Lib: only who runs a backtest pays for them
    from bots.backtest.data import read_bars
    from bots.backtest.metrics import as_rows, metrics_of

    parsed = bind(_rule(rule), _overrides(param))
    if limits is not None and engine is not Engine.REPLAY:
        raise ConfigError(
            "--limits", "한도는 replay 엔진만 봅니다 · only the replay engine judges limits", "--engine replay"
        )
    report = backtest.run(
        parsed, _bars(data, symbol, market, parsed, actions), market=market, cash=cash, fill=fill, costs=costs, engine=engine,
        instrument_type=kind, board=board.value, limits=None if limits is None else _limits(limits),
    )  # fmt: skip
    if benchmark is not None:
        report = replace(report, index=read_bars(ROOT / benchmark, market))
    document = report.as_json()
    if html is not None or csv is not None:
        from console.cli import backtest_files

        backtest_files.write(report, parsed, html=html, csv=csv)
    if upload:
        document["uploaded"] = _upload(html)
    if as_json:
        # Figures of a backtest are numbers (design.md §9); live money would be text.
        _print({**document, "metrics": as_rows(metrics_of(report))})
        return
    trades, warnings = document.pop("trades"), document.pop("warnings")
    output.show({"items": trades}, False)
    figures = [
        {
            "지표 · figure": f"{one.ko} · {one.en}",
            "값 · value": _figure(one.value, one.unit),
            "정의 · definition": one.definition,
        }
        for one in metrics_of(report)
    ]
    output.show({"items": figures}, False)
    output.show({key: document[key] for key in ("engine", "bars", "seconds", "final_equity")}, False)
    if upload:
        output.show({"url": document["uploaded"]["url"]}, False)
    for warning in warnings:
        where = ", ".join(str(one) for one in (*warning["at"], *warning["lines"])[:3])
        output.tell(f"! {warning['text']} ({warning['count']}{': ' + where if where else ''})")


def _upload(html: Path | None) -> dict[str, Any]:
    """Put the report page into Supabase Storage; it stays on this machine whatever happens."""
    from console.cloud import files

    if html is None:
        raise ConfigError("--upload", "올릴 보고서가 없습니다 · there is no report page", "--html FILE.html --upload")
    page = ROOT / html
    done = files.upload(load_settings(), files.REPORTS, page.name, page.read_bytes(), "text/html; charset=utf-8")
    return {"path": done.path, "bytes": done.bytes, "url": done.url}


@app.command()
def sweep(
    rule: RuleFile,
    market: InMarket,
    cash: Cash,
    data: DataFiles = None,
    symbol: Symbol = "",
    fill: Filled = FillAt.NEXT_OPEN,
    costs: Priced = CostsNamed.DEFAULT,
    engine: Engined = Engine.FAST,
    param: Params = None,
    random: Annotated[int | None, typer.Option(min=1, help="무작위 조합 수 · so many at random, not all")] = None,
    bayes: Annotated[
        int | None,
        typer.Option(min=1, help="베이즈 탐색 조합 수 · so many, each batch chosen by what was found before"),
    ] = None,
    seed: Annotated[int, typer.Option(help="무작위의 씨앗 · seed")] = 7,
    sort: Annotated[
        str,
        typer.Option(
            help="순위 기준 · rank by: return_pct, sharpe, max_drawdown_pct, profit_factor, win_rate_pct, trades"
        ),
    ] = "return_pct",
    top: Annotated[int, typer.Option(min=0, help="몇 줄 · rows shown; 0: 모두 · all")] = 20,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="결과 파일, 다시 시작하면 이어서 · results; goes on when started again"
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="두 조절값의 그림 · heat map")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="쓸 코어 · cores")] = None,
    as_json: AsJson = False,
) -> int:
    """조절값의 모든 조합을 셈합니다 · Every combination of parameter values. DASK_SCHEDULER_ADDRESS sends it to a cluster."""
    import time

    from bots.backtest.checks import around, of_best

    task = _task(rule, data, symbol, market, cash, fill, costs, engine)
    choices = choices_of(param) or around(task.rule)
    if not choices:
        raise ConfigError("--param", "규칙에 조절값이 없습니다 · the rule has no parameters", "--param NAME=5:25:1")
    if sort not in _RANKS:
        raise ConfigError(f"--sort {sort}", "없는 기준입니다 · no such figure", ", ".join(sorted(_RANKS)))
    began, path = time.perf_counter(), None if out is None else ROOT / out
    try:
        with output.progress("조합 · combinations", quiet=as_json) as told:
            found = _tried(task, choices, random, bayes, seed, figure=sort, out=path, progress=told, workers=workers)
    except KeyboardInterrupt:
        hint = "" if out is None else f" · {out}에서 이어집니다 (start again to go on)"
        output.tell(f"\n멈췄습니다 · stopped{hint}")
        raise
    seconds = time.perf_counter() - began
    ranked = sorted(found, key=lambda one: _rank(getattr(one, sort)), reverse=True)
    if html is not None and len(choices) >= 1:
        from console.cli import backtest_files

        backtest_files.write_heat_map(task, found, choices, sort, html)
    rows = [_sweep_row(asdict(one)) for one in (ranked[:top] if top else ranked)]
    luck = None if math.isnan(ranked[0].return_pct) else of_best(task, found, ranked[0])
    if as_json:
        told_luck = None if luck is None else asdict(luck)
        _print(
            {"combinations": len(found), "bars": len(task.data.bars), "seconds": seconds, "sort": sort, "items": rows,
             "deflated_sharpe": told_luck}
        )  # fmt: skip
    else:
        output.show({"items": [_rounded({**row.pop("params"), **row}) for row in rows]}, False)
        output.show({"combinations": len(found), "bars": len(task.data.bars), "seconds": round(seconds, 3)}, False)
        if luck is not None:
            output.tell(f"{'!' if luck.verdict == 'warn' else '·'} {luck.ko} · {luck.en}")
    return 0


@app.command()
def check(
    rule: RuleFile,
    market: InMarket,
    cash: Cash,
    data: DataFiles = None,
    symbol: Symbol = "",
    fill: Filled = FillAt.NEXT_OPEN,
    costs: Priced = CostsNamed.DEFAULT,
    param: Params = None,
    folds: Annotated[int, typer.Option(min=1, max=20, help="걸음 수 · walk-forward folds")] = 4,
    as_json: AsJson = False,
) -> int:
    """이 백테스트를 믿어도 되는지 · Whether this backtest can be believed. Exit 1 when a decision used the future."""
    from bots.backtest.checks import around, check_all

    task = _task(rule, data, symbol, market, cash, fill, costs, Engine.FAST)
    with output.progress("점검 · checks", quiet=as_json) as told:
        found = check_all(task, choices_of(param) or around(task.rule), folds=folds, progress=told)
    failed = any(one.verdict == "fail" for one in found)
    if as_json:
        _print({"passed": not failed, "checks": [asdict(one) for one in found]})
    else:
        rows = [{"check": one.name, "verdict": one.verdict, "": f"{one.ko} · {one.en}"} for one in found]
        output.show({"items": rows}, False)
    return FAILED if failed else 0


def _tried(
    task: Task, choices: dict[str, list[Number]], random: int | None, bayes: int | None, seed: int, *, figure: str,
    **where: Any,
) -> list[Outcome]:  # fmt: skip
    from bots.backtest.bayes import search
    from bots.backtest.family import grid
    from bots.backtest.sweep import sampled
    from bots.backtest.sweep import sweep as swept

    if random and bayes:
        raise ConfigError("--random, --bayes", "하나만 · one of them", "--random N, --bayes N")
    if bayes:
        return search(task, choices, bayes, seed=seed, figure=figure, **where)
    return swept(task, sampled(choices, random, seed) if random else grid(choices), **where)


_RANKS = frozenset(
    {"final_equity", "return_pct", "max_drawdown_pct", "sharpe", "trades", "win_rate_pct", "profit_factor"}
)


def _rank(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value


def _sweep_row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if unit == "n" else f"{value:,.2f}{unit if unit == '%' else ''}"


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


# -- what was asked ----------------------------------------------------------------------------------------------------


def _rule(file: Path) -> Rule:
    return parse_python(_text(file)) if file.suffix == ".py" else parse_rule(_text(file))


def _text(file: Path) -> str:
    """The text of a file named on the command line; relative paths start at the repo root."""
    try:
        return (ROOT / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"{file}을(를) 읽을 수 없습니다 (cannot be read)", why or "", "파일을 확인하십시오 (check the file)"
        ) from error


def _bars(
    files: list[str] | None, symbol: str, market: Market, rule: Rule, actions: bool = False
) -> dict[str, PriceData]:
    from bots.backtest.data import read_bars

    if not files:
        from bots.backtest import library

        symbols = [symbol] if symbol else list(rule.universe)
        home = load_settings().home
        return {one: library.kept(home, market, one, rule.timeframe, actions=actions) for one in _some(symbols)}
    named = [_named(one) for one in files]
    if len(named) == 1 and not named[0][0]:
        named = [(symbol, named[0][1])]
    found: dict[str, PriceData] = {}
    for name, path in named:
        if not name or name in found:
            why = "파일마다 종목이 하나씩 필요합니다 · each file needs a symbol of its own"
            raise ConfigError("--data", why, "--symbol S, or --data SYMBOL=FILE for each")
        found[name] = read_bars(ROOT / path, market, actions=actions)
    return found


def _some(symbols: list[str]) -> list[str]:
    if not symbols:
        raise ConfigError("--data", "봉도 종목도 없습니다 · neither bars nor a symbol", "give --data or --symbol")
    return symbols


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if equals and "/" not in name and "\\" not in name and not (ROOT / text).exists():
        return name, Path(path)
    return "", Path(text)


def _task(
    rule: Path,
    data: list[str],
    symbol: str,
    market: Market,
    cash: float,
    fill: FillAt,
    costs: CostsNamed,
    engine: Engine,
) -> Task:
    from bots.backtest import Setting, checked
    from bots.backtest.sweep import Task as Asked

    parsed = _rule(rule)
    bars = _bars(data, symbol, market, parsed)
    if len(bars) != 1:
        raise ConfigError("--data", "한 종목만 탐색할 수 있습니다 · one symbol at a time", "give one --data")
    fills, priced = checked(tuple(bars), cash, fill, costs, engine)
    name, one = next(iter(bars.items()))
    return Asked(parsed, name, one, Setting(market, cash, fills, priced, engine))


def _overrides(asked: list[str] | None) -> dict[str, Number]:
    return {name: values[0] for name, values in choices_of(asked).items() if _single(name, values)}


def _single(name: str, values: list[Number]) -> bool:
    if len(values) != 1:
        raise ConfigError(
            f"--param {name}", "값 하나만 · one value", f"{name}={values[0]}; 범위는 backtest sweep (ranges)"
        )
    return True


def choices_of(asked: list[str] | None) -> dict[str, list[Number]]:
    """Read NAME=5, NAME=5,10,20 or NAME=5:25[:step], both ends included."""
    found: dict[str, list[Number]] = {}
    for text in asked or ():
        name, _, written = text.partition("=")
        try:
            if ":" in written:
                low, high, *step = (Decimal(one) for one in written.split(":"))
                found[name] = _stepped(low, high, step[0] if step else Decimal(1))
            else:
                found[name] = [_number(Decimal(one)) for one in written.split(",")]
        except (InvalidOperation, ValueError) as error:
            why = "읽을 수 없는 값 · cannot be read"
            raise ConfigError(f"--param {text}", why, "NAME=5, NAME=5,10,20, NAME=5:25:1") from error
    return found


def _stepped(low: Decimal, high: Decimal, step: Decimal) -> list[Number]:
    if step <= 0 or high < low or (high - low) / step > 100_000:
        raise ValueError("not a range")
    return [_number(low + step * place) for place in range(int((high - low) / step) + 1)]


def _number(value: Decimal) -> Number:
    return int(value) if value == value.to_integral_value() else float(value)


def _limits(file: Path) -> Limits:
    """Limits of a YAML file by the names the guards use; what it does not name is not limited."""
    import yaml

    from bots.backtest import Limits as Known

    try:
        given = yaml.safe_load(_text(file)) or {}
    except yaml.YAMLError as error:
        raise ConfigError(str(file), "YAML이 아닙니다 · not YAML", str(error).splitlines()[0]) from error
    names = {one.name: one for one in fields(Known)}
    unknown = sorted(set(given) - set(names)) if isinstance(given, dict) else ["?"]
    if unknown:
        raise ConfigError(f"{file}: {unknown[0]}", "없는 한도입니다 · no such limit", ", ".join(sorted(names)))
    plenty = Decimal(10) ** 18
    free: dict[str, Any] = {
        "max_order_amount": plenty, "max_symbol_amount": plenty, "max_daily_buy": plenty, "max_daily_loss": plenty,
        "max_trades_per_day": 10**9, "price_collar_pct": plenty,
    }  # fmt: skip
    told = {key: Decimal(str(value)) if key in _AMOUNTS else value for key, value in given.items()}
    return Known(**{**free, **told})


_AMOUNTS = frozenset({"max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss", "price_collar_pct"})
