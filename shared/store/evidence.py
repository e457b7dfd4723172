"""What speaks for a rule's text before it trades real money: its last backtest, the days it ran without real money."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from shared.domain.account import Environment
from shared.models import BacktestRun, BrokerageAccount, DecisionRow, RuleVersion, TradeRule
from shared.store.backtests import RunStatus
from shared.store.rules import text_hash

_LOOKED_AT = 20  # backtests of the same text; sweeps and checks among them do not count


def last_backtest(session: Session, text: str) -> BacktestRun | None:
    """The newest finished run of exactly this text."""
    query = select(BacktestRun).where(BacktestRun.rule_text == text, BacktestRun.status == RunStatus.DONE.value)
    rows = session.exec(query.order_by(col(BacktestRun.id).desc()).limit(_LOOKED_AT))
    return next((row for row in rows if row.params.get("kind", "run") == "run" and not row.params.get("days")), None)


def days_without_money(session: Session, text: str) -> dict[Environment, int]:
    """On how many days (UTC) a rule of exactly this text decided something, in SIM and in MOCK."""
    found = {}
    for environment in (Environment.SIM, Environment.MOCK):
        same = (
            select(RuleVersion.id)
            .join(TradeRule, col(TradeRule.id) == RuleVersion.rule_id)
            .join(BrokerageAccount, col(BrokerageAccount.id) == TradeRule.account_id)
            .where(RuleVersion.text_hash == text_hash(text), BrokerageAccount.environment == environment.value)
        )
        days = select(func.count(func.distinct(func.date(DecisionRow.updated_at)))).where(
            col(DecisionRow.version_id).in_(same)
        )
        found[environment] = session.exec(days).one()
    return found
