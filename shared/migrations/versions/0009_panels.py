"""panels: indexes of the console's questions, five minutes of a bot's life, earnings rolled up

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = shared.columns.Instant
_JSON = shared.columns.Json


def upgrade() -> None:
    op.create_index("ix_orders_account_symbol", "orders", ["account_id", "symbol", "placed_at"])
    op.create_index("ix_orders_account_status", "orders", ["account_id", "status", "placed_at"])
    op.create_index("ix_execution_logs_level", "execution_logs", ["level", "id"])
    op.create_table(
        "bot_vitals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", _INSTANT(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("gap_s", sa.Float(), nullable=False),
        sa.Column("lag_ms", sa.Float(), nullable=False),
        sa.Column("feed_age_s", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "at"),
    )
    op.create_index("ix_bot_vitals_at", "bot_vitals", ["at"])
    op.create_table(
        "profit_rollups",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("last_fill_id", sa.Integer(), nullable=False),
        sa.Column("newest_at", _INSTANT(), nullable=True),
        sa.Column("rates", sa.Integer(), nullable=False),
        sa.Column("rates_at", _INSTANT(), nullable=True),
        sa.Column("days", _JSON(), nullable=False),
        sa.Column("lots", _JSON(), nullable=False),
        sa.Column("orders", _JSON(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("updated_at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )


def downgrade() -> None:
    op.drop_table("profit_rollups")
    op.drop_index("ix_bot_vitals_at", "bot_vitals")
    op.drop_table("bot_vitals")
    op.drop_index("ix_execution_logs_level", "execution_logs")
    op.drop_index("ix_orders_account_status", "orders")
    op.drop_index("ix_orders_account_symbol", "orders")
