"""SQLModel tables (names and minimum columns: design.md §9). Importing this package registers all of them."""

from shared.models.accounts import ApiCredential, BrokerageAccount, BrokerToken, FeeContract, KillSwitch
from shared.models.bots import Alert, Command, ExecutionLog, Heartbeat, Host, JobRun, Lease, Meta
from shared.models.doors import AlertDelivery, TelegramLink, Webhook
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
    "QuoteRow",
    "Readiness",
    "Role",
    "RuleVersion",
    "ScheduledJob",
    "StrategySignal",
    "TelegramLink",
    "TradeRule",
    "User",
    "Webhook",
]
