"""What waits for a person's yes: entries of semi-automatic rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant


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
