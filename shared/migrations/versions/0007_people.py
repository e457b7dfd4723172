"""people: second factor, recovery codes, outside identities, group grants, proposals, second looks

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = shared.columns.Instant
_JSON = shared.columns.Json
_DECIMAL = shared.columns.ExactDecimal


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("totp_since", _INSTANT(), nullable=True))
        users.add_column(sa.Column("totp_last_step", sa.Integer(), nullable=True))
        users.add_column(sa.Column("subject", sa.String(), nullable=True))
    # An index, not a constraint: SQLite would make the table anew for that, which its children forbid.
    op.create_index("ix_users_subject", "users", ["subject"], unique=True)
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("method", sa.String(), nullable=False, server_default="password"))
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT(), nullable=False),
        sa.Column("used_at", _INSTANT(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "group_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "scope"),
    )
    op.create_index("ix_group_grants_user_id", "group_grants", ["user_id"])
    _proposals()
    _second_looks()


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("proposal_key", sa.String(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("price", _DECIMAL(), nullable=True),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("asked_at", _INSTANT(), nullable=False),
        sa.Column("expires_at", _INSTANT(), nullable=False),
        sa.Column("decided_at", _INSTANT(), nullable=True),
        sa.Column("updated_at", _INSTANT(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "proposal_key"),
    )
    op.create_index("ix_proposals_waiting", "proposals", ["account_id", "status"])


def _second_looks() -> None:
    op.create_table(
        "second_looks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("payload", _JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_by_user_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("asked_at", _INSTANT(), nullable=False),
        sa.Column("expires_at", _INSTANT(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_by_user_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", _INSTANT(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["brokerage_accounts.id"]),
        sa.ForeignKeyConstraint(["asked_by_user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["decided_by_user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_second_looks_waiting", "second_looks", ["status", "expires_at"])


def downgrade() -> None:
    for table in ("second_looks", "proposals", "group_grants", "recovery_codes"):
        op.drop_table(table)
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("method")
    op.drop_index("ix_users_subject", "users")
    with op.batch_alter_table("users") as users:
        for column in ("subject", "totp_last_step", "totp_since"):
            users.drop_column(column)
