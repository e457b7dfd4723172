"""Ways into the desk: sessions, grants, API tokens, Telegram people, what each was told, webhooks that may propose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import Instant, Json


class TelegramLink(SQLModel, table=True):
    """A Telegram user id that stands for a user of the desk; his role is the user's, read at every command."""

    __tablename__ = "telegram_links"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    telegram_id: int = Field(unique=True, sa_type=BigInteger)
    levels: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # kind or severity → loud | silent | off
    quiet_from: str = ""  # HH:MM in `zone`; empty: never quiet
    quiet_to: str = ""
    zone: str = "Asia/Seoul"
    report_at: str = ""  # HH:MM of the daily report; empty: none
    reported_on: str = ""  # ISO date of the last one
    created_at: datetime = Field(sa_type=Instant)


class AlertDelivery(SQLModel, table=True):
    """Whom an alert reached: a retry after an outage tells only those it did not reach."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (UniqueConstraint("alert_id", "recipient"),)

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id", index=True)
    recipient: int = Field(sa_type=BigInteger)
    outcome: str  # sent | digest | off | stale | refused
    at: datetime = Field(sa_type=Instant)


class Webhook(SQLModel, table=True):
    """An address an outside chart may call to propose a trade of one rule. Only the secret's hash is kept."""

    __tablename__ = "webhooks"

    id: int | None = Field(default=None, primary_key=True)
    path_id: str = Field(unique=True)
    secret_hash: str
    rule_id: int = Field(foreign_key="trade_rules.id", index=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    user_id: int | None = Field(default=None, foreign_key="users.id")
    name: str
    created_by: str = ""
    created_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)


class LoginSession(SQLModel, table=True):
    """The session of record: the cookie holds an opaque id, this row its hash."""

    __tablename__ = "sessions"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    token_hash: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Instant)
    last_seen_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    ip: str = ""
    user_agent: str = ""
    method: str = "password"  # password | oidc | supabase


class AccountGrant(SQLModel, table=True):
    """A Viewer or Trader sees and acts on granted accounts only; an Admin needs no grant."""

    __tablename__ = "account_grants"
    __table_args__ = (UniqueConstraint("user_id", "account_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    created_at: datetime = Field(sa_type=Instant)


class ApiToken(SQLModel, table=True):
    __tablename__ = "api_tokens"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    name: str
    token_hash: str = Field(unique=True)
    scopes: list[str] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)
