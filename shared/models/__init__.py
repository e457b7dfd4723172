"""SQLModel tables (names and minimum columns: design.md §9).

No bot loads them: it has the same tables as plain columns (shared/tables.py; after a change here: python
tools/make_tables.py). Rarely used ones load when they are asked for; `load_all` registers every one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.models.accounts import ApiCredential, BrokerageAccount, BrokerToken, KillSwitch
from shared.models.approvals import Proposal
from shared.models.bots import Alert, BotVitals, Command, ExecutionLog, Heartbeat, Host, JobRun, Lease, Meta
from shared.models.market import FxRate, InstrumentRow, PriceBar, QuoteRow
from shared.models.orders import (
    CashBalance,
    EquitySnapshot,
    FillRow,
    OrderEvent,
    OrderRow,
    PeriodProfit,
    PositionRow,
)
from shared.models.people import AuditLog, Owner, Role, User
from shared.models.rules import DecisionRow, RuleVersion, StrategySignal, TradeRule
from shared.models.schedule import PausedJob, ScheduledJob

if TYPE_CHECKING:
    from shared.models.doors import AccountGrant, AlertDelivery, ApiToken, LoginSession, TelegramLink, Webhook
    from shared.models.money import CashFlow, FeeContract, ProfitRollup
    from shared.models.readiness import Readiness
    from shared.models.research import BacktestRun
    from shared.models.safety import GroupGrant, RecoveryCode, SecondLook

_LATER = {
    "AccountGrant": "doors", "AlertDelivery": "doors", "ApiToken": "doors", "LoginSession": "doors",
    "TelegramLink": "doors", "Webhook": "doors",
    "CashFlow": "money", "FeeContract": "money", "ProfitRollup": "money",
    "BacktestRun": "research",
    "Readiness": "readiness",
    "GroupGrant": "safety", "RecoveryCode": "safety", "SecondLook": "safety",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def load_all() -> None:
    """Register the tables that load late as well: for whoever needs the whole schema."""
    for module in sorted(set(_LATER.values())):
        import_module(f"{__name__}.{module}")


__all__ = [
    "AccountGrant",
    "Alert",
    "AlertDelivery",
    "ApiCredential",
    "ApiToken",
    "AuditLog",
    "BacktestRun",
    "BotVitals",
    "BrokerToken",
    "BrokerageAccount",
    "CashBalance",
    "CashFlow",
    "Command",
    "DecisionRow",
    "EquitySnapshot",
    "ExecutionLog",
    "FeeContract",
    "FillRow",
    "FxRate",
    "GroupGrant",
    "Heartbeat",
    "Host",
    "InstrumentRow",
    "JobRun",
    "KillSwitch",
    "Lease",
    "LoginSession",
    "Meta",
    "OrderEvent",
    "OrderRow",
    "Owner",
    "PausedJob",
    "PeriodProfit",
    "PositionRow",
    "PriceBar",
    "ProfitRollup",
    "Proposal",
    "QuoteRow",
    "Readiness",
    "RecoveryCode",
    "Role",
    "RuleVersion",
    "ScheduledJob",
    "SecondLook",
    "StrategySignal",
    "TelegramLink",
    "TradeRule",
    "User",
    "Webhook",
    "load_all",
]
