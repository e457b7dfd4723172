"""The doors beside the screen: Telegram people, what each was told, webhooks that may propose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.models.columns import Instant, Json


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
