"""What the desk reckons about money beside the bots: flows, earnings by day, fee contracts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant, Json


class CashFlow(SQLModel, table=True):
    """Money a person put into an account or took out: no gain and no loss. Written by hand."""

    __tablename__ = "cash_flows"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    at: datetime = Field(sa_type=Instant)
    amount: Decimal = Field(sa_type=ExactDecimal)  # positive: paid in
    currency: str
    note: str = ""
    recorded_by: str
    recorded_at: datetime = Field(sa_type=Instant)


class ProfitRollup(SQLModel, table=True):
    """One account's earnings by day and its open lots, up to a fill: what a report goes on from. Made of fills alone."""

    __tablename__ = "profit_rollups"

    account_id: int = Field(foreign_key="brokerage_accounts.id", primary_key=True)
    last_fill_id: int
    newest_at: datetime | None = Field(default=None, sa_type=Instant)  # of the fills in it
    rates: int = 0  # exchange rates known when it was made
    rates_at: datetime | None = Field(default=None, sa_type=Instant)
    days: list[Any] = Field(default_factory=list, sa_type=Json)
    lots: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    orders: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # charged so far, of those that may fill further
    basis: str = ""  # version of fee contracts and instruments
    updated_at: datetime = Field(sa_type=Instant)


class FeeContract(SQLModel, table=True):
    """Negotiated commission of one account from a date on."""

    __tablename__ = "fee_contracts"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    effective_from: str  # ISO date
    effective_to: str | None = None
    buy_pct: Decimal = Field(sa_type=ExactDecimal)
    sell_pct: Decimal = Field(sa_type=ExactDecimal)
    note: str = ""
