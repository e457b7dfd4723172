"""doors: telegram people, alert deliveries, webhooks, the clear tail of an account number

Revision: 0005, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = shared.columns.Instant
_JSON = shared.columns.Json


def upgrade() -> None:
    with op.batch_alter_table("brokerage_accounts") as table:
        table.add_column(sa.Column("number_tail", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "telegram_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("telegram_id", sa.BigInteger(), nullable=False),
        sa.Column("levels", _JSON(), nullable=False),
        sa.Column("quiet_from", sa.String(), nullable=False),
        sa.Column("quiet_to", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("report_at", sa.String(), nullable=False),
        sa.Column("reported_on", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("telegram_id"),
    )
    op.create_index("ix_telegram_links_user_id", "telegram_links", ["user_id"])
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alert_id", "recipient"),
    )
    op.create_index("ix_alert_deliveries_alert_id", "alert_deliveries", ["alert_id"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT(), nullable=False),
        sa.Column("revoked_at", _INSTANT(), nullable=True),
        sa.Column("last_used_at", _INSTANT(), nullable=True),
        sa.ForeignKeyConstraint(["rule_id"], ["trade_rules.id"]),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path_id"),
    )
    op.create_index("ix_webhooks_rule_id", "webhooks", ["rule_id"])


def downgrade() -> None:
    for table in ("webhooks", "alert_deliveries", "telegram_links"):
        op.drop_table(table)
    with op.batch_alter_table("brokerage_accounts") as table_of_accounts:
        table_of_accounts.drop_column("number_tail")
