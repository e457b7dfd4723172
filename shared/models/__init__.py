"""SQLModel tables (names and minimum columns: design.md §9).

Tables that no bot touches load when they are asked for: each costs a process 0.1 MB. `load_all` registers every one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.models.accounts import ApiCredential, BrokerageAccount, BrokerToken, FeeContract, KillSwitch
from shared.models.approvals import Proposal
from shared.models.bots import Alert, Command, ExecutionLog, Heartbeat, Host, JobRun, Lease, Meta
from shared.models.market import FxRate, InstrumentRow, PriceBar, QuoteRow
from shared.models.orders import (
    CashBalance,
    CashFlow,
    EquitySnapshot,
    FillRow,
    OrderEvent,
    OrderRow,
    PeriodProfit,
    PositionRow,
)
from shared.models.people import AccountGrant, ApiToken, AuditLog, LoginSession, Owner, Role, User
from shared.models.rules import BacktestRun, DecisionRow, RuleVersion, StrategySignal, TradeRule
from shared.models.schedule import PausedJob, Readiness, ScheduledJob

if TYPE_CHECKING:
    from shared.models.doors import AlertDelivery, TelegramLink, Webhook
    from shared.models.safety import GroupGrant, RecoveryCode, SecondLook

_LATER = {
    "AlertDelivery": "doors", "TelegramLink": "doors", "Webhook": "doors",
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
