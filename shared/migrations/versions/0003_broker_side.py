"""what the broker keeps beside our own orders: sessions, profit by its arithmetic, turns of the account's jobs

Revision: 0003, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "period_profits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("trade_date", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("bought", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("sold", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("realized_pnl", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("fees", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("taxes", shared.columns.ExactDecimal(), nullable=True),
        sa.Column("updated_at", shared.columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "trade_date", "symbol"),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("session", sa.String(), nullable=False, server_default="REGULAR"))
    with op.batch_alter_table("heartbeats", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rate_waiting", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("rate_limited", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_unique_constraint("uq_job_runs_turn", ["account_id", "job", "due_at"])


def downgrade() -> None:
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_constraint("uq_job_runs_turn", type_="unique")
    with op.batch_alter_table("heartbeats", schema=None) as batch_op:
        batch_op.drop_column("rate_limited")
        batch_op.drop_column("rate_waiting")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("session")
    op.drop_table("period_profits")
