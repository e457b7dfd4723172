"""first tables

Revision: 0001, after
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("before", shared.columns.Json, nullable=True),
        sa.Column("after", shared.columns.Json, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_logs_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_logs_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_logs_at"), ["at"], unique=False)

    op.create_table(
        "backtest_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_text", sa.String(), nullable=False),
        sa.Column("params", shared.columns.Json, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("result", shared.columns.Json, nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("finished_at", shared.columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "fx_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("rate", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("base", "quote", "at"),
    )
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seen_at", shared.columns.Instant(), nullable=False),
        sa.Column("host_group", sa.String(), nullable=False),
        sa.Column("programs", shared.columns.Json, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "instruments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("board", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fetched_at", shared.columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("market", "symbol"),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("due_at", shared.columns.Instant(), nullable=False),
        sa.Column("started_at", shared.columns.Instant(), nullable=True),
        sa.Column("finished_at", shared.columns.Instant(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_runs_job"), ["job"], unique=False)

    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("acquired_at", shared.columns.Instant(), nullable=False),
        sa.Column("renewed_at", shared.columns.Instant(), nullable=False),
        sa.Column("ttl_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "owners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "price_bars",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("timeframe", sa.String(), nullable=False),
        sa.Column("start", shared.columns.Instant(), nullable=False),
        sa.Column("open", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("high", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("low", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("close", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("environment", "market", "symbol", "timeframe", "start"),
    )
    op.create_table(
        "quotes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("last", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("bid", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("ask", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("prev_close", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("received_at", shared.columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("environment", "market", "symbol"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.String(), nullable=True),
        sa.Column("lang", sa.String(), nullable=True),
        sa.Column("disabled_at", shared.columns.Instant(), nullable=True),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_email"), ["email"], unique=True)

    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("scopes", shared.columns.Json, nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("expires_at", shared.columns.Instant(), nullable=True),
        sa.Column("revoked_at", shared.columns.Instant(), nullable=True),
        sa.Column("last_used_at", shared.columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "brokerage_accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("nickname", sa.String(), nullable=False),
        sa.Column("broker", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("wire", sa.String(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("account_hash", sa.String(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("desired_generation", sa.Integer(), nullable=False),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("health_status", sa.String(), nullable=False),
        sa.Column("health_reason", sa.String(), nullable=False),
        sa.Column("last_heartbeat", shared.columns.Instant(), nullable=True),
        sa.Column("armed_until", shared.columns.Instant(), nullable=True),
        sa.Column("max_order_amount", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("max_symbol_amount", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("max_daily_buy", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("max_daily_loss", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("max_trades_per_day", sa.Integer(), nullable=True),
        sa.Column("price_collar_pct", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("max_data_age_s", sa.Integer(), nullable=False),
        sa.Column("spike_pct", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("spike_minutes", sa.Integer(), nullable=False),
        sa.Column("entries_on_fallback", sa.Boolean(), nullable=False),
        sa.Column("store_outage_entry_s", sa.Integer(), nullable=False),
        sa.Column("failover", sa.String(), nullable=False),
        sa.Column("host_group", sa.String(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("archived_at", shared.columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["owners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_hash"),
        sa.UniqueConstraint("nickname"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("last_seen_at", shared.columns.Instant(), nullable=False),
        sa.Column("expires_at", shared.columns.Instant(), nullable=False),
        sa.Column("revoked_at", shared.columns.Instant(), nullable=True),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "account_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "account_id"),
    )
    with op.batch_alter_table("account_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_grants_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_grants_user_id"), ["user_id"], unique=False)

    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("dedup_key", sa.String(), nullable=False),
        sa.Column("params", shared.columns.Json, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("last_at", shared.columns.Instant(), nullable=False),
        sa.Column("acknowledged_at", shared.columns.Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("claimed_at", shared.columns.Instant(), nullable=True),
        sa.Column("delivered_at", shared.columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alerts_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alerts_dedup_key"), ["dedup_key"], unique=False)
        batch_op.create_index("ix_alerts_open", ["acknowledged_at", "created_at"], unique=False)

    op.create_table(
        "api_credentials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("app_key", sa.String(), nullable=False),
        sa.Column("app_secret", sa.String(), nullable=False),
        sa.Column("account_no", sa.String(), nullable=False),
        sa.Column("hts_id", sa.String(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("access_token", sa.String(), nullable=True),
        sa.Column("token_expire_at", shared.columns.Instant(), nullable=True),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id"),
        sa.UniqueConstraint("key_hash"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "broker_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("issued_at", shared.columns.Instant(), nullable=False),
        sa.Column("expires_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "cash_balances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("buying_power", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("equity", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("as_of", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "currency"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", shared.columns.Json, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", shared.columns.Instant(), nullable=False),
        sa.Column("expires_at", shared.columns.Instant(), nullable=True),
        sa.Column("claimed_at", shared.columns.Instant(), nullable=True),
        sa.Column("finished_at", shared.columns.Instant(), nullable=True),
        sa.Column("result", shared.columns.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index("ix_commands_open", ["account_id", "status"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("steps", shared.columns.Json, nullable=False),
        sa.Column("gates", shared.columns.Json, nullable=False),
        sa.Column("counts", shared.columns.Json, nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "seq"),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decisions_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_decisions_rule_id"), ["rule_id"], unique=False)

    op.create_table(
        "equity_snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("equity", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("cash", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("realized_pnl_day", shared.columns.ExactDecimal(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "at"),
    )
    with op.batch_alter_table("equity_snapshots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_equity_snapshots_at"), ["at"], unique=False)

    op.create_table(
        "execution_logs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("ctx", shared.columns.Json, nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "seq"),
    )
    with op.batch_alter_table("execution_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_execution_logs_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_execution_logs_created_at"), ["created_at"], unique=False)

    op.create_table(
        "fee_contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.String(), nullable=False),
        sa.Column("effective_to", sa.String(), nullable=True),
        sa.Column("buy_pct", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("sell_pct", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("fee_contracts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fee_contracts_account_id"), ["account_id"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", shared.columns.Instant(), nullable=False),
        sa.Column("ready_at", shared.columns.Instant(), nullable=True),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("change_number", sa.Integer(), nullable=False),
        sa.Column("kill_level", sa.Integer(), nullable=False),
        sa.Column("market_at", shared.columns.Instant(), nullable=True),
        sa.Column("feed_at", shared.columns.Instant(), nullable=True),
        sa.Column("feed_source", sa.String(), nullable=False),
        sa.Column("token_expires_at", shared.columns.Instant(), nullable=True),
        sa.Column("loop_lag_ms", sa.Float(), nullable=False),
        sa.Column("rate_used", sa.Integer(), nullable=False),
        sa.Column("rate_limit", sa.Float(), nullable=False),
        sa.Column("outbox_depth", sa.Integer(), nullable=False),
        sa.Column("rss_mb", sa.Float(), nullable=False),
        sa.Column("detail", shared.columns.Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "kill_switches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scope"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("client_order_id", sa.String(), nullable=False),
        sa.Column("broker_order_id", sa.String(), nullable=True),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("price", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("time_in_force", sa.String(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("filled_qty", sa.Integer(), nullable=False),
        sa.Column("avg_fill_price", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("placed_at", shared.columns.Instant(), nullable=False),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.Column("trade_date", sa.String(), nullable=False),
        sa.Column("raw", shared.columns.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "client_order_id"),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_account_placed", ["account_id", "placed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_broker_order_id"), ["broker_order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_placed_at"), ["placed_at"], unique=False)

    op.create_table(
        "positions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("sellable", sa.Integer(), nullable=True),
        sa.Column("avg_price", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("last_price", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("unrealized_pnl", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("guarded_by", sa.Integer(), nullable=True),
        sa.Column("stop_price", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("stop_checked_at", shared.columns.Instant(), nullable=True),
        sa.Column("priced_at", shared.columns.Instant(), nullable=True),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "symbol"),
    )
    op.create_table(
        "strategy_signals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("signal_key", sa.String(), nullable=False),
        sa.Column("payload", shared.columns.Json, nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "signal_key"),
    )
    with op.batch_alter_table("strategy_signals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_strategy_signals_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_strategy_signals_rule_id"), ["rule_id"], unique=False)

    op.create_table(
        "trade_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("buy_amount_usd", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("max_position", sa.Integer(), nullable=True),
        sa.Column("entry_condition", shared.columns.Json, nullable=True),
        sa.Column("exit_condition", shared.columns.Json, nullable=True),
        sa.Column("time_in_force", sa.String(), nullable=False),
        sa.Column("cooldown_sec", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.Column("archived_at", shared.columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("trade_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trade_rules_account_id"), ["account_id"], unique=False)

    op.create_table(
        "fills",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("execution_id", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("price", shared.columns.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("commission", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("tax", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("realized_pnl", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("filled_at", shared.columns.Instant(), nullable=False),
        sa.Column("recorded_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "execution_id"),
    )
    with op.batch_alter_table("fills", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fills_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fills_filled_at"), ["filled_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_fills_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", shared.columns.Instant(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("from_status", sa.String(), nullable=False),
        sa.Column("to_status", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["brokerage_accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "seq"),
    )
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_events_order_id"), ["order_id"], unique=False)

    op.create_table(
        "rule_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", shared.columns.Instant(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["trade_rules.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule_id", "number"),
    )
    with op.batch_alter_table("rule_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_versions_rule_id"), ["rule_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("rule_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rule_versions_rule_id"))

    op.drop_table("rule_versions")
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_events_order_id"))

    op.drop_table("order_events")
    with op.batch_alter_table("fills", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fills_order_id"))
        batch_op.drop_index(batch_op.f("ix_fills_filled_at"))
        batch_op.drop_index(batch_op.f("ix_fills_account_id"))

    op.drop_table("fills")
    with op.batch_alter_table("trade_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trade_rules_account_id"))

    op.drop_table("trade_rules")
    with op.batch_alter_table("strategy_signals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_strategy_signals_rule_id"))
        batch_op.drop_index(batch_op.f("ix_strategy_signals_account_id"))

    op.drop_table("strategy_signals")
    op.drop_table("positions")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_orders_placed_at"))
        batch_op.drop_index(batch_op.f("ix_orders_broker_order_id"))
        batch_op.drop_index("ix_orders_account_placed")

    op.drop_table("orders")
    op.drop_table("kill_switches")
    op.drop_table("heartbeats")
    with op.batch_alter_table("fee_contracts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fee_contracts_account_id"))

    op.drop_table("fee_contracts")
    with op.batch_alter_table("execution_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_execution_logs_created_at"))
        batch_op.drop_index(batch_op.f("ix_execution_logs_account_id"))

    op.drop_table("execution_logs")
    with op.batch_alter_table("equity_snapshots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_equity_snapshots_at"))

    op.drop_table("equity_snapshots")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_rule_id"))
        batch_op.drop_index(batch_op.f("ix_decisions_at"))
        batch_op.drop_index(batch_op.f("ix_decisions_account_id"))

    op.drop_table("decisions")
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.drop_index("ix_commands_open")

    op.drop_table("commands")
    op.drop_table("cash_balances")
    op.drop_table("broker_tokens")
    op.drop_table("api_credentials")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index("ix_alerts_open")
        batch_op.drop_index(batch_op.f("ix_alerts_dedup_key"))
        batch_op.drop_index(batch_op.f("ix_alerts_account_id"))

    op.drop_table("alerts")
    with op.batch_alter_table("account_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_grants_user_id"))
        batch_op.drop_index(batch_op.f("ix_account_grants_account_id"))

    op.drop_table("account_grants")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))

    op.drop_table("sessions")
    op.drop_table("brokerage_accounts")
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_tokens_user_id"))

    op.drop_table("api_tokens")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_email"))

    op.drop_table("users")
    op.drop_table("quotes")
    op.drop_table("price_bars")
    op.drop_table("owners")
    op.drop_table("meta")
    op.drop_table("leases")
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_runs_job"))

    op.drop_table("job_runs")
    op.drop_table("instruments")
    op.drop_table("hosts")
    op.drop_table("fx_rates")
    op.drop_table("backtest_runs")
    with op.batch_alter_table("audit_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_logs_at"))
        batch_op.drop_index(batch_op.f("ix_audit_logs_action"))
        batch_op.drop_index(batch_op.f("ix_audit_logs_account_id"))

    op.drop_table("audit_logs")
