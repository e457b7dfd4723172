"""The running side: heartbeats, commands, alerts, leases, logs, hosts, jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.columns import Instant, Json


class Heartbeat(SQLModel, table=True):
    """The last sign of life of one bot. `change_number` grows whenever anything the console shows has changed."""

    __tablename__ = "heartbeats"

    account_id: int = Field(foreign_key="brokerage_accounts.id", primary_key=True)
    at: datetime = Field(sa_type=Instant)
    state: str
    reason: str = ""
    host: str = ""
    pid: int = 0
    started_at: datetime = Field(sa_type=Instant)
    ready_at: datetime | None = Field(default=None, sa_type=Instant)
    code_hash: str = ""
    config_version: int = 0  # the version in force in the bot
    change_number: int = 0
    kill_level: int = 0
    market_at: datetime | None = Field(default=None, sa_type=Instant)
    feed_at: datetime | None = Field(default=None, sa_type=Instant)  # last market data received
    feed_source: str = ""  # stream | rest
    token_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    loop_lag_ms: float = 0.0
    rate_used: int = 0
    rate_limit: float = 0.0
    rate_waiting: int = 0  # calls that wait for their turn
    rate_limited: int = 0  # times the broker said "too many" since the bot began
    outbox_depth: int = 0
    rss_mb: float = 0.0
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class BotVitals(SQLModel, table=True):
    """Five minutes of one bot's life; minutes without a row are minutes in which nobody heard of it."""

    __tablename__ = "bot_vitals"
    __table_args__ = (UniqueConstraint("account_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id")
    at: datetime = Field(sa_type=Instant, index=True)  # the beginning, on the clock's five minutes
    beats: int
    gap_s: float  # the longest time between two heartbeats
    lag_ms: float  # the longest delay of the loop
    feed_age_s: float | None = None  # the oldest that the market data became


class Command(SQLModel, table=True):
    """What a person asked a bot to do, once: the unique key makes two clicks one command."""

    __tablename__ = "commands"
    __table_args__ = (Index("ix_commands_open", "account_id", "status"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int | None = Field(default=None, foreign_key="brokerage_accounts.id")
    kind: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    key: str = Field(unique=True)
    status: str = "REQUESTED"  # REQUESTED → RUNNING → DONE | FAILED | UNKNOWN | EXPIRED
    requested_by: str
    requested_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    claimed_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)


class Alert(SQLModel, table=True):
    """Something a person should know. Raised again while open, it counts; it stays until acknowledged."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_open", "acknowledged_at", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int | None = Field(default=None, foreign_key="brokerage_accounts.id", index=True)
    kind: str  # FILL ORDER_REJECTED ORDER_UNKNOWN BOT_SILENT PRICE_SPIKE …
    severity: str  # info | warning | critical
    dedup_key: str = Field(index=True)
    params: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # for the words in shared/words.py
    count: int = 1
    created_at: datetime = Field(sa_type=Instant)
    last_at: datetime = Field(sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_by: str = ""
    claimed_by: str = ""
    claimed_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)


class Lease(SQLModel, table=True):
    """Who may act: `epoch` grows with each new holder and fences the old one."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)  # "account:3", "fleet", "notifier"
    holder: str  # host:pid
    epoch: int
    acquired_at: datetime = Field(sa_type=Instant)
    renewed_at: datetime = Field(sa_type=Instant)
    ttl_s: int = 30


class ExecutionLog(SQLModel, table=True):
    __tablename__ = "execution_logs"
    __table_args__ = (UniqueConstraint("account_id", "seq"), Index("ix_execution_logs_level", "level", "id"))

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="brokerage_accounts.id", index=True)
    seq: int  # of the bot's journal
    rule_id: int | None = None
    level: str
    message: str
    ctx: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = Field(sa_type=Instant, index=True)


class Host(SQLModel, table=True):
    __tablename__ = "hosts"

    name: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=Instant)
    host_group: str = ""
    programs: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # supervisord's view: name → state
    revision: str = Field(default="", sa_column_kwargs={"server_default": ""})  # schema its programs were made for
    skew_s: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})  # its clock less the store's


class JobRun(SQLModel, table=True):
    """One turn of a scheduled job. Of a bot's own jobs `due_at` is market time; outcome: ok, failed, skipped, n/a."""

    __tablename__ = "job_runs"
    __table_args__ = (UniqueConstraint("account_id", "job", "due_at", name="uq_job_runs_turn"),)

    id: int | None = Field(default=None, primary_key=True)
    job: str = Field(index=True)
    account_id: int | None = None
    due_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    outcome: str = ""
    note: str = ""


class Meta(SQLModel, table=True):
    """Facts about this store: the key canary, the telegram offset."""

    __tablename__ = "meta"

    name: str = Field(primary_key=True)
    value: str
