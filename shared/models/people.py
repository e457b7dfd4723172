"""People and what they did: users, sessions, owners, grants, API tokens, audit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from shared.columns import ExactDecimal, Instant, Json


class Role(StrEnum):
    """Viewer reads; Trader acts on granted accounts; Admin everything."""

    VIEWER = "Viewer"
    TRADER = "Trader"
    ADMIN = "Admin"


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, index=True)
    name: str = ""
    role: str = Role.VIEWER.value
    password_hash: str | None = None
    must_change_password: bool = False
    totp_secret: str | None = (
        None  # sealed under the factor key (shared/factor_box.py); proven once `totp_since` is set
    )
    totp_since: datetime | None = Field(default=None, sa_type=Instant)
    totp_last_step: int | None = None  # the 30 s step of the last code taken: no code counts twice
    subject: str | None = Field(
        default=None, unique=True, index=True
    )  # "issuer|sub" of the provider that may vouch for him
    lang: str | None = None
    auth_uid: str | None = Field(default=None, unique=True, index=True)  # the Supabase Auth user who is this person
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class Owner(SQLModel, table=True):
    """Whose money: taxes and reports are per owner, and so is what may stand in the market in all.

    A limit that is None is not set: each account keeps to its own.
    """

    __tablename__ = "owners"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    max_exposure_krw: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    max_exposure_usd: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    created_at: datetime = Field(sa_type=Instant)


class AuditLog(SQLModel, table=True):
    """Who did what, when, from where, why. Append only; each row's hash covers the one before."""

    __tablename__ = "audit_logs"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    actor: str  # "user:3", "cli:name", "bot:1", "setup"
    actor_user_id: int | None = None
    action: str = Field(index=True)
    target: str = ""
    account_id: int | None = Field(default=None, index=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=Json)
    after: dict[str, Any] | None = Field(default=None, sa_type=Json)
    reason: str = ""
    source: str = ""  # console | cli | telegram | api | setup
    previous_hash: str = ""
    row_hash: str = ""
