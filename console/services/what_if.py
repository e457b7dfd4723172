"""What an edit would have done lately: the version in force and the edited text over the same last days, side by side.

The research worker computes them (the console never does); bars are those kept for backtests, else those the desk's own
bots recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from console.services import backtests
from console.services.backtests import BacktestLine
from console.services.permissions import Action, Actor, authorize, refuse
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.domain.errors import NotFound
from shared.domain.rule.parse import parse_rule
from shared.store import accounts, panels
from shared.store.backtests import OPEN_RUNS, RunStatus

DAYS = 20
_CASH = {Market.US: Decimal(10_000), Market.KRX: Decimal(10_000_000)}  # where the account's worth is not known


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. Figures are None until it is done; `problem` is why it cannot be."""

    run_id: int
    open: bool
    progress: float
    return_pct: float | None = None
    max_drawdown_pct: float | None = None
    trades: int | None = None
    bars: int | None = None
    problem: str = ""


def ask(wiring: Wiring, actor: Actor, account_id: int, older: str | None, newer: str) -> tuple[int, ...]:
    """Queue the runs; returns their ids, the version in force first when there is one.

    Raises:
        RuleInvalid: the text cannot be read.
    """
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        account = accounts.find(session, account_id)
        if account is None:
            raise refuse(NotFound, "no_account", actor.lang, account=account_id)
        market, environment = Market(account.market), account.environment
        newest = panels.last_equity(session, [account_id]).get(account_id)
    cash = newest.equity if newest is not None and newest.equity > 0 else _CASH[market]
    asked: dict[str, Any] = {
        "kind": "run", "market": market.value, "cash": float(cash), "days": DAYS, "environment": environment,
    }  # fmt: skip
    texts = [text for text in (older, newer) if text is not None]
    return tuple(
        backtests.ask(wiring, actor, text, {**asked, "symbols": list(parse_rule(text).universe)}).id for text in texts
    )


def result(wiring: Wiring, actor: Actor, run_ids: tuple[int, ...]) -> tuple[Side, ...]:
    """How far the runs are, in the order asked."""
    return tuple(_side(backtests.one(wiring, actor, run_id)) for run_id in run_ids)


def _side(line: BacktestLine) -> Side:
    done = line.result or {}
    if line.status in OPEN_RUNS:
        return Side(line.id, True, line.progress)
    if line.status != RunStatus.DONE or "error" in done:
        error = done.get("error", {})
        said = " ".join(str(error.get(part, "")) for part in ("what", "why", "now")).strip()
        return Side(line.id, False, line.progress, problem=said or line.status)
    trades = done.get("trades")
    return Side(
        line.id, False, 1.0, done.get("return_pct"), done.get("max_drawdown_pct"),
        len(trades) if isinstance(trades, list) else None, done.get("bars"),
    )  # fmt: skip
