"""supabase: who a Supabase user is here, what a host runs, wake-ups from the database, an audit nobody empties

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NO_TRUNCATE = """
CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_only_grow()
"""
# A wake-up leaves with the commit it belongs to; fleet of each host hears it (shared/store/wake.py). "*": every account.
_POSTGRES_WAKE = (
    """
CREATE FUNCTION wake_bot() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE account text := coalesce(to_jsonb(NEW)->>TG_ARGV[0], '*');
BEGIN PERFORM pg_catalog.pg_notify('letstrade', account); RETURN NULL; END $$
""",
    """
CREATE TRIGGER commands_wake AFTER INSERT ON commands
FOR EACH ROW EXECUTE FUNCTION wake_bot('account_id')
""",
    """
CREATE TRIGGER accounts_wake AFTER UPDATE ON brokerage_accounts FOR EACH ROW
WHEN (OLD.config_version <> NEW.config_version OR OLD.armed_until IS DISTINCT FROM NEW.armed_until)
EXECUTE FUNCTION wake_bot('id')
""",
    """
CREATE TRIGGER kill_switches_wake AFTER INSERT OR UPDATE ON kill_switches
FOR EACH ROW EXECUTE FUNCTION wake_bot('account_id')
""",
)


def upgrade() -> None:
    op.add_column("users", sa.Column("auth_uid", sa.String(), nullable=True))
    op.create_index("ix_users_auth_uid", "users", ["auth_uid"], unique=True)
    op.add_column("hosts", sa.Column("revision", sa.String(), nullable=False, server_default=""))
    op.add_column("hosts", sa.Column("skew_s", sa.Float(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "postgresql":
        for statement in (_NO_TRUNCATE, *_POSTGRES_WAKE):
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for trigger, table in (
            ("kill_switches_wake", "kill_switches"),
            ("accounts_wake", "brokerage_accounts"),
            ("commands_wake", "commands"),
            ("audit_logs_no_truncate", "audit_logs"),
        ):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
        op.execute("DROP FUNCTION wake_bot()")
    op.drop_column("hosts", "skew_s")
    op.drop_column("hosts", "revision")
    op.drop_index("ix_users_auth_uid", "users")
    op.drop_column("users", "auth_uid")
