"""Backtests that were asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from shared.columns import Instant, Json


class BacktestRun(SQLModel, table=True):
    __tablename__ = "backtest_runs"

    id: int | None = Field(default=None, primary_key=True)
    rule_text: str
    params: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    status: str = "QUEUED"
    progress: float = 0.0
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)
    requested_by: str = ""
    created_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
