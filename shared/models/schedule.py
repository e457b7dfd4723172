"""What is due when: jobs of the desk (account_id 0) and of each account, and who paused them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import Instant

DESK = 0  # account_id of what belongs to no account: unlike NULL it is unique


class ScheduledJob(SQLModel, table=True):
    """A job and its next turn, written by who runs it. Of a bot's own jobs `next_at` is market time."""

    __tablename__ = "scheduled_jobs"
    __table_args__ = (UniqueConstraint("account_id", "job"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = DESK
    job: str
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    missed: str  # run | skip | alert: what becomes of a turn nobody was there for
    paused: bool = False  # as the runner has it; the wish stands in paused_jobs
    updated_at: datetime = Field(sa_type=Instant)


class PausedJob(SQLModel, table=True):
    """A person's wish that a job lets its turns pass."""

    __tablename__ = "paused_jobs"

    account_id: int = Field(default=DESK, primary_key=True)
    job: str = Field(primary_key=True)
    paused_by: str
    paused_at: datetime = Field(sa_type=Instant)
