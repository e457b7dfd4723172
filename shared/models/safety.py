"""What keeps people honest with themselves: recovery codes, grants by group, deeds that need a second Admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import Instant, Json


class RecoveryCode(SQLModel, table=True):
    """A way in for who lost his second factor: keyed hash, good once."""

    __tablename__ = "recovery_codes"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    code_hash: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class GroupGrant(SQLModel, table=True):
    """Every account of a group, those to come included: "env:MOCK", "owner:3"."""

    __tablename__ = "group_grants"
    __table_args__ = (UniqueConstraint("user_id", "scope"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    scope: str
    created_at: datetime = Field(sa_type=Instant)


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
