"""What waits for a person's yes: entries of semi-automatic rules, and an Admin's deeds that need a second Admin."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.models.columns import ExactDecimal, Instant, Json


class Proposal(SQLModel, table=True):
    """An entry that a rule wants and a person decides about. Written by the account's bot alone, through its outbox."""

    __tablename__ = "proposals"
    __table_args__ = (
        UniqueConstraint("account_id", "proposal_key"),
        Index("ix_proposals_waiting", "account_id", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    proposal_key: str  # one signal, one question
    rule_id: int
    version_id: int
    symbol: str
    side: str
    qty: int
    price: Decimal | None = Field(default=None, sa_type=ExactDecimal)  # None: at the market
    order_type: str = "LIMIT"
    currency: str = ""
    reason: str = ""
    score: float = 1.0
    status: str  # WAITING → SENT | DENIED | DECLINED | EXPIRED
    outcome: str = ""  # why not, in the bot's words
    decided_by: str = ""
    asked_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class SecondLook(SQLModel, table=True):
    """A deed of one Admin that takes effect when another one agrees (four eyes)."""

    __tablename__ = "second_looks"
    __table_args__ = (Index("ix_second_looks_waiting", "status", "expires_at"),)

    id: int | None = Field(default=None, primary_key=True)
    action: str
    target: str
    account_id: int | None = Field(default=None, foreign_key="brokerage_accounts.id")
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    reason: str = ""
    asked_by: str  # actor label
    asked_by_user_id: int | None = Field(default=None, foreign_key="users.id")
    source: str = ""
    asked_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    status: str = "WAITING"  # WAITING → DONE | DECLINED; past its end it counts as EXPIRED
    decided_by: str = ""
    decided_by_user_id: int | None = Field(default=None, foreign_key="users.id")
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
