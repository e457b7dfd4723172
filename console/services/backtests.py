"""Backtests asked from the desk: queue one, see how far it is, stop it. The research worker does them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from console.services.permissions import Action, Actor, authorize
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import NotFound
from shared.domain.rule.parse import parse_rule
from shared.models import BacktestRun
from shared.store import backtests

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
            raise _missing(run_id)
        return _line(row)


def cancel(wiring: Wiring, actor: Actor, run_id: int) -> str:
    """Ask that a backtest stops; returns its status then."""
    with writing(wiring.engine) as session:
        authorize(session, actor, Action.BACKTEST)
        status = backtests.cancel(session, wiring.clock.wall_now(), run_id)
        if status is None:
            raise _missing(run_id)
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


def _missing(run_id: int) -> NotFound:
    return NotFound(f"백테스트 {run_id}이(가) 없습니다 · no backtest {run_id}", "", "letstrade backtest jobs")


def _line(row: BacktestRun) -> BacktestLine:
    name = next(
        (line.split(":", 1)[1].strip() for line in row.rule_text.splitlines() if line.strip().startswith("name:")), ""
    )
    return BacktestLine(
        row.id or 0, name, dict(row.params), row.status, row.progress, row.result, row.requested_by, row.created_at,
        row.finished_at,
    )  # fmt: skip
