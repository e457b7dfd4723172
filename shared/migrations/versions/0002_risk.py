"""risk: exposure limits, order-rate brake, first live day, stop liveness, immutable rule versions

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import shared.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FROZEN = "a rule version never changes"
_SQLITE = """
CREATE TRIGGER rule_versions_no_{verb} BEFORE {event} ON rule_versions
BEGIN SELECT RAISE(ABORT, '{why}'); END
"""
_POSTGRES_FUNCTION = """
CREATE FUNCTION rule_versions_are_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN RAISE EXCEPTION '{why}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRES = """
CREATE TRIGGER rule_versions_no_{verb} BEFORE {event} ON rule_versions
FOR EACH ROW EXECUTE FUNCTION rule_versions_are_frozen()
"""
_EVENTS = ("update", "delete")


def upgrade() -> None:
    money = shared.columns.ExactDecimal
    op.add_column("brokerage_accounts", sa.Column("max_account_amount", money(), nullable=True))
    op.add_column(
        "brokerage_accounts", sa.Column("max_orders_per_minute", sa.Integer(), nullable=False, server_default="30")
    )
    op.add_column("brokerage_accounts", sa.Column("first_day_amount", money(), nullable=True))
    op.add_column("brokerage_accounts", sa.Column("extended_hours", sa.String(), nullable=False, server_default=""))
    op.add_column("owners", sa.Column("max_exposure_krw", money(), nullable=True))
    op.add_column("owners", sa.Column("max_exposure_usd", money(), nullable=True))
    op.add_column("positions", sa.Column("stop_kind", sa.String(), nullable=False, server_default=""))
    op.add_column("positions", sa.Column("guard_version_id", sa.Integer(), nullable=True))
    op.add_column("positions", sa.Column("guarded_qty", sa.Integer(), nullable=True))
    op.add_column("rule_versions", sa.Column("also_open", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("trade_rules", sa.Column("waived_version_id", sa.Integer(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRES_FUNCTION.format(why=_FROZEN))
        pattern = _POSTGRES
    else:
        pattern = _SQLITE
    for event in _EVENTS:
        op.execute(pattern.format(verb=event, event=event.upper(), why=_FROZEN))


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for event in _EVENTS:
        op.execute(f"DROP TRIGGER rule_versions_no_{event}" + (" ON rule_versions" if postgres else ""))
    if postgres:
        op.execute("DROP FUNCTION rule_versions_are_frozen()")
    for table, column in (
        ("trade_rules", "waived_version_id"),
        ("rule_versions", "also_open"),
        ("positions", "guarded_qty"),
        ("positions", "guard_version_id"),
        ("positions", "stop_kind"),
        ("owners", "max_exposure_usd"),
        ("owners", "max_exposure_krw"),
        ("brokerage_accounts", "extended_hours"),
        ("brokerage_accounts", "first_day_amount"),
        ("brokerage_accounts", "max_orders_per_minute"),
        ("brokerage_accounts", "max_account_amount"),
    ):
        op.drop_column(table, column)
