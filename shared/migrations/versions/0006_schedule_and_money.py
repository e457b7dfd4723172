"""schedule and money: next turns, pauses, readiness before the open, money paid in and out, cash by settlement

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = shared.columns.Instant
_JSON = shared.columns.Json
_DECIMAL = shared.columns.ExactDecimal


def upgrade() -> None:
    with op.batch_alter_table("brokerage_accounts") as table:
        table.add_column(sa.Column("unfilled_at_close", sa.String(), nullable=False, server_default="keep"))
        table.add_column(sa.Column("unfilled_minutes", sa.Integer(), nullable=False, server_default="10"))
    with op.batch_alter_table("cash_balances") as table:
        table.add_column(sa.Column("stages", _JSON(), nullable=True))
    with op.batch_alter_table("period_profits") as table:
        table.add_column(sa.Column("of_sales", sa.Boolean(), nullable=True))
    op.create_table(
        "scheduled_jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("next_at", _INSTANT(), nullable=True),
        sa.Column("missed", sa.String(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("updated_at", _INSTANT(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "job"),
    )
    op.create_table(
        "paused_jobs",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("paused_by", sa.String(), nullable=False),
        sa.Column("paused_at", _INSTANT(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "job"),
    )
    op.create_table(
        "readiness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("due_at", _INSTANT(), nullable=False),
        sa.Column("opens_at", _INSTANT(), nullable=False),
        sa.Column("checked_at", _INSTANT(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("checks", _JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "due_at"),
    )
    op.create_table(
        "cash_flows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", _INSTANT(), nullable=False),
        sa.Column("amount", _DECIMAL(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cash_flows_account_id", "cash_flows", ["account_id"])


def downgrade() -> None:
    for name in ("cash_flows", "readiness", "paused_jobs", "scheduled_jobs"):
        op.drop_table(name)
    with op.batch_alter_table("period_profits") as table:
        table.drop_column("of_sales")
    with op.batch_alter_table("cash_balances") as table:
        table.drop_column("stages")
    with op.batch_alter_table("brokerage_accounts") as table:
        table.drop_column("unfilled_minutes")
        table.drop_column("unfilled_at_close")
