"""How ready accounts were before each open: fleet writes it, people read it, no bot needs it."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import Instant, Json


class Readiness(SQLModel, table=True):
    """How ready an account was before an open: one row per account and open."""

    __tablename__ = "readiness"
    __table_args__ = (UniqueConstraint("account_id", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    due_at: datetime = Field(sa_type=Instant)
    opens_at: datetime = Field(sa_type=Instant)
    checked_at: datetime = Field(sa_type=Instant)
    ready: bool
    checks: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)  # name, ok, told
