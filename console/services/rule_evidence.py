"""What a rule and its account have, and lack, before it may trade real money; and the Admin's waiver of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from console.services.permissions import Action, Actor, authorize, refuse
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.account import Environment
from shared.domain.errors import Conflict, NotFound
from shared.domain.rule.model import Guard
from shared.domain.rule.parse import parse_rule
from shared.models import BrokerageAccount, TradeRule
from shared.store import accounts, evidence
from shared.store import rules as store
from shared.words import say


@dataclass(frozen=True, slots=True)
class Tested:
    """A finished backtest in four figures; None: the result does not say."""

    run_id: int
    finished_at: datetime | None
    return_pct: float | None
    max_drawdown_pct: float | None
    trades: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of the version in force. `missing` are the words of what stands between it and LIVE; `waived`: an Admin let it."""

    version: int
    tested: Tested | None
    sim_days: int
    mock_days: int
    missing: tuple[str, ...]
    waived: bool


def of_rule(wiring: Wiring, actor: Actor, rule_id: int) -> Evidence:
    """Read what speaks for the rule's version in force."""
    with reading(wiring.engine) as session:
        row, account = _found(session, actor, rule_id)
        authorize(session, actor, Action.VIEW, row.account_id)
        version = store.version(session, row.version_id or 0)
        days = evidence.days_without_money(session, version.text) if version is not None else {}
        return Evidence(
            version=version.number if version is not None else 0,
            tested=_tested(session, version.text) if version is not None else None,
            sim_days=days.get(Environment.SIM, 0),
            mock_days=days.get(Environment.MOCK, 0),
            missing=tuple(missing_for_live(session, row, account, actor.lang)),
            waived=is_waived(row),
        )


def missing_for_live(session: Session, row: TradeRule, account: BrokerageAccount, lang: str) -> list[str]:
    """What a rule and its account lack to trade real money without a waiver."""
    version = store.version(session, row.version_id) if row.version_id is not None else None
    rule = parse_rule(version.text) if version is not None else None
    days = evidence.days_without_money(session, version.text) if version is not None else {}
    lacking = {
        "stop_loss": rule is None or not (_stops(rule.risk.stop_loss) or _stops(rule.risk.trailing_stop)),
        "sizing": rule is None or rule.sizing is None,
        "max_position": not row.max_position,
        "max_daily_loss": not account.max_daily_loss,
        "max_trades_per_day": not account.max_trades_per_day,
        "backtest": version is None or evidence.last_backtest(session, version.text) is None,
        "paper_days": not any(days.values()),
    }
    return [say(f"lack.{name}", lang) for name, lacks in lacking.items() if lacks]


def waive(wiring: Wiring, actor: Actor, rule_id: int, *, confirm: str, reason: str) -> None:
    """Let the rule's version in force trade real money without all that it should have; Admin only, audited.

    Raises:
        Conflict: the account's name was not typed, or no reason given.
    """
    with writing(wiring.engine) as session:
        row, account = _found(session, actor, rule_id)
        waive_in(session, wiring, actor, row, account, confirm=confirm, reason=reason)


def waive_in(
    session: Session, wiring: Wiring, actor: Actor, row: TradeRule, account: BrokerageAccount, *, confirm: str, reason: str
) -> None:  # fmt: skip
    """The same, in the caller's transaction."""
    authorize(session, actor, Action.RULE_WAIVE, row.account_id)
    if confirm != account.nickname:
        raise refuse(Conflict, "confirm_live", actor.lang, nickname=account.nickname)
    if not reason.strip():
        raise refuse(Conflict, "reason_missing", actor.lang)
    missing = missing_for_live(session, row, account, actor.lang)
    row.waived_version_id = row.version_id
    session.add(row)
    note(
        session,
        wiring,
        actor,
        Action.RULE_WAIVE,
        f"rule:{row.id}",
        account_id=row.account_id,
        after={"version_id": row.version_id, "missing": missing},
        reason=reason,
    )


def is_waived(row: TradeRule) -> bool:
    """A waiver is for one version: the next one needs its own."""
    return row.version_id is not None and row.waived_version_id == row.version_id


def _stops(guard: Guard | None) -> bool:
    return guard is not None and guard.enabled


def _tested(session: Session, text: str) -> Tested | None:
    run = evidence.last_backtest(session, text)
    if run is None:
        return None
    result: dict[str, Any] = run.result or {}
    trades = result.get("trades")
    return Tested(
        run.id or 0,
        run.finished_at,
        result.get("return_pct"),
        result.get("max_drawdown_pct"),
        len(trades) if isinstance(trades, list) else None,
    )


def _found(session: Session, actor: Actor, rule_id: int) -> tuple[TradeRule, BrokerageAccount]:
    row = store.find(session, rule_id)
    if row is None or row.archived_at is not None:
        raise refuse(NotFound, "no_rule", actor.lang, rule=rule_id)
    account = accounts.find(session, row.account_id)
    if account is None:
        raise refuse(NotFound, "no_account", actor.lang, account=row.account_id)
    return row, account
