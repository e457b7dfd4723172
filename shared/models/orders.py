"""Orders, their events, fills, holdings, cash. Written by the bot of the account through its outbox, idempotently."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant, Json


class OrderRow(SQLModel, table=True):
    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("account_id", "client_order_id"),
        Index("ix_orders_account_placed", "account_id", "placed_at"),
        Index("ix_orders_account_symbol", "account_id", "symbol", "placed_at"),
        Index("ix_orders_account_status", "account_id", "status", "placed_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    rule_id: int | None = None
    version_id: int | None = None
    client_order_id: str
    broker_order_id: str | None = Field(default=None, index=True)
    symbol: str
    side: str
    qty: int
    price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    order_type: str = "LIMIT"
    time_in_force: str = "DAY"
    venue: str = ""
    currency: str = ""
    status: str
    filled_qty: int = 0
    avg_fill_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    reason: str = ""
    origin: str = "rule"  # rule | operator | broker (placed elsewhere)
    placed_at: datetime = Field(sa_type=Instant, index=True)
    updated_at: datetime = Field(sa_type=Instant)
    trade_date: str = ""  # exchange-local ISO date
    session: str = "REGULAR"  # REGULAR | DAY_MARKET | RESERVED
    raw: dict[str, Any] | None = Field(default=None, sa_type=Json)  # masked broker answer


class OrderEvent(SQLModel, table=True):
    """Every transition of an order: when, from, to, why."""

    __tablename__ = "order_events"
    __table_args__ = (UniqueConstraint("account_id", "seq"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    order_id: int = Field(foreign_key="orders.id", index=True)
    seq: int  # of the bot's journal
    at: datetime = Field(sa_type=Instant)
    event: str
    from_status: str = ""
    to_status: str = ""
    note: str = ""


class FillRow(SQLModel, table=True):
    __tablename__ = "fills"
    __table_args__ = (UniqueConstraint("account_id", "execution_id"),)

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="orders.id", index=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    execution_id: str
    symbol: str
    side: str
    qty: int
    price: Decimal = Field(sa_type=ExactDecimal)
    currency: str = ""
    commission: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    tax: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    realized_pnl: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    filled_at: datetime = Field(sa_type=Instant, index=True)
    recorded_at: datetime = Field(sa_type=Instant)


class PositionRow(SQLModel, table=True):
    """A holding as the bot last knew it. qty 0 rows are removed, never kept as "0"."""

    __tablename__ = "positions"
    __table_args__ = (UniqueConstraint("account_id", "symbol"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    symbol: str
    name: str = ""
    qty: int
    sellable: int | None = None
    avg_price: Decimal = Field(sa_type=ExactDecimal)
    last_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    unrealized_pnl: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    currency: str = ""
    guarded_by: int | None = None  # rule id whose stop watches it; None: nobody
    stop_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    stop_checked_at: datetime | None = Field(default=None, sa_type=Instant)
    stop_kind: str = ""  # stop_loss | trailing_stop: which of the rule's stops is the nearest
    guard_version_id: int | None = None  # the rule version that judges the position
    guarded_qty: int | None = None  # shares under a stop; fewer than `qty`: the rest has none
    priced_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class CashBalance(SQLModel, table=True):
    __tablename__ = "cash_balances"
    __table_args__ = (UniqueConstraint("account_id", "currency"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    currency: str
    total: Decimal = Field(sa_type=ExactDecimal)
    buying_power: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    equity: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    stages: dict[str, Any] | None = Field(default=None, sa_type=Json)  # the broker's cash line by line, by settlement
    as_of: datetime = Field(sa_type=Instant)


class EquitySnapshot(SQLModel, table=True):
    __tablename__ = "equity_snapshots"
    __table_args__ = (UniqueConstraint("account_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    at: datetime = Field(sa_type=Instant, index=True)
    currency: str
    equity: Decimal = Field(sa_type=ExactDecimal)
    cash: Decimal = Field(sa_type=ExactDecimal)
    realized_pnl_day: Decimal | None = Field(default=None, sa_type=ExactDecimal)


class PeriodProfit(SQLModel, table=True):
    """What was realised on a trade date by the broker's own arithmetic (기간손익); symbol "" is the whole day.

    A figure that the broker did not tell is None.
    """

    __tablename__ = "period_profits"
    __table_args__ = (UniqueConstraint("account_id", "trade_date", "symbol"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    trade_date: str  # exchange-local ISO date
    symbol: str = ""
    currency: str
    qty: int = 0  # shares sold
    bought: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    sold: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    realized_pnl: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    fees: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    taxes: Decimal | None = Field(default=None, sa_type=ExactDecimal)  # None with fees told: they are in those
    of_sales: bool | None = None  # fees and taxes of the sales alone; else of every trade of the day
    updated_at: datetime = Field(sa_type=Instant)
