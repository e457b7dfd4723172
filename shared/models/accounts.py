"""Accounts, their sealed keys, their limits."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant


class BrokerageAccount(SQLModel, table=True):
    """One account = one app key = one bot.

    `enabled` is the desired state. `desired_generation` grows when a person changes it; fleet acts on growth only.
    `config_version` grows with every change of rules, limits or settings; the bot polls it.
    A limit that is None means zero: nothing passes it. `max_account_amount` None: no more than `max_daily_buy`.
    """

    __tablename__ = "brokerage_accounts"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int | None = Field(default=None, foreign_key="users.id")
    owner_id: int = Field(foreign_key="owners.id")
    nickname: str = Field(unique=True)
    broker: str
    market: str
    environment: str
    wire: str = "live"  # SIM only: which ports and TR ids of the local exchange
    last4: str = ""  # the only part of the account number in clear
    number_tail: str = Field(default="", sa_column_kwargs={"server_default": ""})  # "1234-01", as lists may show it
    account_hash: str | None = Field(default=None, unique=True)  # HMAC over broker, environment and number
    enabled: bool = False
    desired_generation: int = 0
    config_version: int = 1
    health_status: str = "NEW"  # words of shared.domain.bot_state, or NEW / HELD (stopped by hand) / PARKED / FATAL
    health_reason: str = ""
    last_heartbeat: datetime | None = Field(default=None, sa_type=Instant)
    armed_until: datetime | None = Field(default=None, sa_type=Instant)
    max_order_amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_symbol_amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_daily_buy: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_daily_loss: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_trades_per_day: int | None = None
    max_account_amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_orders_per_minute: int = 30
    first_day_amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)  # LIVE: buys on its first trade date
    extended_hours: str = ""  # sessions beside the regular one: PRE, AFTER, joined by commas
    price_collar_pct: Decimal = Field(default=Decimal("3"), sa_type=ExactDecimal)
    max_data_age_s: int = 15
    spike_pct: Decimal = Field(default=Decimal("3"), sa_type=ExactDecimal)
    spike_minutes: int = 5
    entries_on_fallback: bool = False
    store_outage_entry_s: int = 300
    unfilled_at_close: str = Field(
        default="keep", sa_column_kwargs={"server_default": "keep"}
    )  # cancel reprice convert
    unfilled_minutes: int = Field(default=10, sa_column_kwargs={"server_default": "10"})  # so long before the close
    failover: str = "pinned"  # pinned | auto
    host_group: str = ""
    created_at: datetime = Field(sa_type=Instant)
    archived_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiCredential(SQLModel, table=True):
    """Sealed keys. Every secret column holds a sealed box bound to (table, row uuid, column, key id)."""

    __tablename__ = "api_credentials"

    id: int | None = Field(default=None, primary_key=True)
    uuid: str = Field(default_factory=lambda: uuid.uuid4().hex, unique=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", unique=True)
    app_key: str
    app_secret: str
    account_no: str
    hts_id: str = ""
    sandbox: bool  # derived from the environment: anything but LIVE
    key_hash: str = Field(unique=True)  # HMAC over broker, environment and app key: one key, one account
    access_token: str | None = None
    token_expire_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class BrokerToken(SQLModel, table=True):
    """The token of an app key with its generation: written by the one bot that owns the key."""

    __tablename__ = "broker_tokens"

    id: int | None = Field(default=None, primary_key=True)
    uuid: str = Field(default_factory=lambda: uuid.uuid4().hex, unique=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", unique=True)
    token: str  # sealed
    generation: int
    key_hash: str  # the app key it belongs to; another key makes it void
    issued_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)


class KillSwitch(SQLModel, table=True):
    """A raised level: scope "all" or one account. The highest of host file, account file and these rows wins."""

    __tablename__ = "kill_switches"
    __table_args__ = (UniqueConstraint("scope"),)

    id: int | None = Field(default=None, primary_key=True)
    scope: str  # "all" | "account:<id>"
    account_id: int | None = Field(default=None, foreign_key="brokerage_accounts.id")
    level: int = 0
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime = Field(sa_type=Instant)
