"""Backtests asked from the desk: queue one, see how far it is, stop it. The research worker does them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import ConfigError, NotFound
from shared.domain.rule.parse import parse_rule
from shared.models import BacktestRun
from shared.store import backtests
from shared.words import LANGS

PARITY = "parity"


@dataclass(frozen=True, slots=True)
class BacktestLine:
    """`progress` is 0 … 1; `result` the document of the finished job, an `error` in it when it failed."""

    id: int
    rule: str
    asked: dict[str, Any]
    status: str
    progress: float
    result: dict[str, Any] | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None


def ask(wiring: Wiring, actor: Actor, rule_text: str, asked: Mapping[str, Any]) -> BacktestLine:
    """Queue a backtest; the rule is read first.

    Raises:
        RuleInvalid: the rule cannot be read.
        Forbidden: the role does not allow it.
    """
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST)
        parse_rule(rule_text)
        now = wiring.clock.wall_now()
        row = backtests.ask(session, now, rule_text=rule_text, params=asked, requested_by=actor.label)
        note(session, wiring, actor, Action.BACKTEST, f"backtest:{row.id}", after=dict(asked))
        return _line(row)


def listed(wiring: Wiring, actor: Actor, limit: int = 50) -> list[BacktestLine]:
    """Newest first."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW)
        return [_line(row) for row in backtests.listed(session, limit)]


def one(wiring: Wiring, actor: Actor, run_id: int) -> BacktestLine:
    """Raises NotFound where there is none of that number."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW)
        row = backtests.one(session, run_id)
        if row is None:
            raise refuse(NotFound, "no_backtest", actor.lang, run=run_id)
        return _line(row)


def cancel(wiring: Wiring, actor: Actor, run_id: int) -> str:
    """Ask that a backtest stops; returns its status then."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST)
        status = backtests.cancel(session, wiring.clock.wall_now(), run_id)
        if status is None:
            raise refuse(NotFound, "no_backtest", actor.lang, run=run_id)
        note(session, wiring, actor, Action.BACKTEST, f"backtest:{run_id}", after={"status": status.value})
        return status.value


def ask_parity(wiring: Wiring, actor: Actor, account_id: int, day: date | None = None) -> BacktestLine:
    """Queue the parity of an account's day; None: its last recorded one."""
    asked = {"kind": PARITY, "account": account_id, "day": day.isoformat() if day else None}
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST, account_id)
        row = backtests.ask(session, wiring.clock.wall_now(), rule_text="", params=asked, requested_by=actor.label)
        note(session, wiring, actor, Action.BACKTEST, f"backtest:{row.id}", account_id=account_id, after=asked)
        return _line(row)


def kept_bars(wiring: Wiring, actor: Actor) -> list[tuple[str, str, str, datetime]]:
    """(market, symbol, timeframe, kept since) of the bars that `data import` keeps on this machine."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW)
    found = []
    home = wiring.settings.home
    for path in (*sorted((home / "bars").glob("*/*.csv")), *sorted((home / "sim" / "bars").glob("*/*.csv"))):
        symbol, _, timeframe = path.stem.rpartition(".")
        market = path.parent.name if path.is_relative_to(home / "bars") else f"SIM {path.parent.name}"
        found.append((market, symbol, timeframe, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
    return found


def choices(text: str, lang: str = LANGS[0]) -> dict[str, list[float]]:
    """Read `name=5,10,20` or `name=5:25:5`, one a line, as parameter values to try.

    Raises:
        ConfigError: a line that says no values.
    """
    found: dict[str, list[float]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, values = line.partition("=")
        try:
            found[name.strip()] = _values(values)
        except (ValueError, ZeroDivisionError) as error:
            raise refuse(ConfigError, "bad_values", lang, line=line) from error
    return found


def _values(text: str) -> list[float]:
    if ":" in text:
        first, last, step = (*map(float, text.split(":")), 1.0)[:3]
        many = int((last - first) / step + 1e-9) + 1
        if not 0 < many <= 1_000:
            raise ValueError(text)
        return [_number(round(first + place * step, 10)) for place in range(many)]
    return [_number(float(one)) for one in text.split(",")]


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _line(row: BacktestRun) -> BacktestLine:
    found = re.search(r"\bname:[ \t]*([^,}\n]+)", row.rule_text)
    name = found.group(1).strip().strip("\"'") if found else ""
    return BacktestLine(
        row.id or 0, name, dict(row.params), row.status, row.progress, row.result, row.requested_by, row.created_at,
        row.finished_at,
    )  # fmt: skip
