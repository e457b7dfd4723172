"""Rules and their versions, signals, decisions, backtests."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant, Json


class TradeRule(SQLModel, table=True):
    """A rule of one account. The text of its version is the meaning; the columns repeat what lists and the API show."""

    __tablename__ = "trade_rules"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    name: str
    symbol: str
    buy_amount_usd: Decimal | None = Field(default=None, sa_type=ExactDecimal)  # in the market's currency
    max_position: int | None = None  # shares; None means zero: no entry
    entry_condition: dict[str, Any] | None = Field(default=None, sa_type=Json)
    exit_condition: dict[str, Any] | None = Field(default=None, sa_type=Json)
    time_in_force: str = "DAY"
    cooldown_sec: int = 0
    enabled: bool = False
    version_id: int | None = None
    waived_version_id: int | None = None  # the version an Admin let trade live without all that it should have
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    archived_at: datetime | None = Field(default=None, sa_type=Instant)


class RuleVersion(SQLModel, table=True):
    """An immutable text of a rule: the database refuses to change or delete it.

    `also_open`: positions opened with an older version are judged by this one; otherwise they keep theirs.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (UniqueConstraint("rule_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    rule_id: int = Field(foreign_key="trade_rules.id", index=True)
    number: int
    text: str
    text_hash: str
    created_by: str = ""
    created_at: datetime = Field(sa_type=Instant)
    note: str = ""
    also_open: bool = False


class StrategySignal(SQLModel, table=True):
    __tablename__ = "strategy_signals"
    __table_args__ = (UniqueConstraint("account_id", "signal_key"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    rule_id: int = Field(index=True)
    type: str  # ENTRY | EXIT
    score: float = 1.0
    signal_key: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)


class DecisionRow(SQLModel, table=True):
    """What a rule decided and why: a row when verdict or reason changes, with counts per reason and day."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("account_id", "seq"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    seq: int  # of the bot's journal
    rule_id: int = Field(index=True)
    version_id: int
    symbol: str
    verdict: str
    reason: str  # code
    text: str = ""
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    gates: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    counts: dict[str, int] = Field(default_factory=dict, sa_type=Json)  # reason → times today
    at: datetime = Field(sa_type=Instant, index=True)  # market time
    updated_at: datetime = Field(sa_type=Instant)
