"""What `backtest` writes to files: the report page, its heat map, and trades as CSV."""

from __future__ import annotations

import csv as tables
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from bots.backtest.checks import heat_map
from bots.backtest.data import PriceData
from bots.backtest.metrics import benchmark, metrics_of, monthly
from bots.backtest.report import Report
from bots.backtest.sweep import Outcome, Task
from console.components.backtest_page import in_unit
from console.components.report import Candles, ReportPage, heat_map_html, report_html
from shared.config import ROOT
from shared.domain.errors import ConfigError
from shared.domain.rule.model import Number, Rule

_MOST_CANDLES, _MOST_POINTS, _MOST_TRADES = 3_000, 4_000, 2_000


def write(report: Report, rule: Rule, *, html: Path | None, csv: Path | None) -> None:
    """Write the report page and the table of trades.

    Raises:
        ConfigError: a file that cannot be written.
    """
    try:
        if html is not None:
            (ROOT / html).write_text(report_html(_page(report, rule)), encoding="utf-8")
        if csv is not None:
            _write_csv(report, ROOT / csv)
    except OSError as error:
        raise ConfigError(str(html or csv), error.strerror or "", "경로를 확인하십시오 (check the path)") from error


def write_heat_map(
    task: Task, found: Sequence[Outcome], choices: Mapping[str, Sequence[Number]], figure: str, file: Path
) -> None:
    """Write the heat map of the first two parameters."""
    names = list(choices)[:2]
    cells = heat_map(found, names, choices, figure)
    columns = list(choices[names[1]]) if len(names) > 1 else [0]
    page = heat_map_html(f"{task.rule.metadata.name} — {figure}", names, list(choices[names[0]]), columns, cells)
    (ROOT / file).write_text(page, encoding="utf-8")


def _write_csv(report: Report, path: Path) -> None:
    rows = [report.trade_row(one) for one in report.trades]
    names = ["entry_at", "entry_price", "exit_at", "exit_price", "quantity", "pnl", "reason"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = tables.DictWriter(file, names if len(report.symbols) == 1 else ["symbol", *names])
        writer.writeheader()
        writer.writerows(rows)


def _page(report: Report, rule: Rule) -> ReportPage:
    starts, equity = report.starts(), report.equity
    step = max(len(equity) // _MOST_POINTS, 1)
    shown = np.unique(np.append(np.arange(0, len(equity), step), len(equity) - 1))
    falls = (equity / np.maximum.accumulate(np.concatenate(([report.cash], equity)))[1:] - 1.0) * 100.0
    held = benchmark(report)
    label = report.data
    figures = [
        (
            f"{one.ko} · {one.en}",
            in_unit(one.value, one.unit),
            one.definition,
        )
        for one in metrics_of(report)
    ]
    return ReportPage(
        title=rule.metadata.name or rule.id,
        subtitle=f"{', '.join(report.symbols)} · {label.label(0)} … {label.label(len(label.bars) - 1)} · {report.engine}",
        figures=figures,
        times=[_time(report, int(starts[one])) for one in shown],
        equity=[float(equity[one]) for one in shown],
        drawdown_pct=[float(falls[one]) for one in shown],
        benchmark=[float(held[one]) for one in shown],
        months=monthly(report),
        candles=[_candles(report, place) for place in range(min(len(report.symbols), 6))],
        trades=[report.trade_row(one) for one in report.trades[-_MOST_TRADES:]],
        warnings=[f"{one.text} ({one.count})" for one in report.warnings],
        notes=("과거의 결과는 앞날을 보장하지 않습니다 · past results promise nothing",),
    )


def _time(report: Report, start: int) -> str:
    at = datetime.fromtimestamp(start, report.data.zone)
    return at.date().isoformat() if report.data.daily else at.isoformat(timespec="minutes")[:16]


def _candles(report: Report, place: int) -> Candles:
    symbol, data = list(report.symbols.items())[place]
    cut = max(len(data.bars) - _MOST_CANDLES, 0)
    bars = data.bars
    mine = [one for one in report.trades if one.symbol == place]
    bought = [(_at(data, one.entry), one.entry_price, f"{one.quantity:,}") for one in mine if one.entry >= cut]
    sold = [
        (_at(data, one.exit), one.exit_price or 0.0, f"{one.quantity:,} {one.reason} {one.pnl:+,.2f}")
        for one in mine
        if one.exit is not None and one.exit >= cut
    ]
    return Candles(
        symbol, [_at(data, bar) for bar in range(cut, len(bars))], bars.open[cut:].tolist(), bars.high[cut:].tolist(),
        bars.low[cut:].tolist(), bars.close[cut:].tolist(), bought, sold, cut,
    )  # fmt: skip


def _at(data: PriceData, bar: int) -> str:
    return data.label(bar)[:16]
