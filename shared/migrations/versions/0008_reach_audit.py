"""reach: the database itself refuses to change or delete a row of the audit trail

Revision: 0008, after 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WHY = "the audit trail only grows"
_FUNCTION = f"""
CREATE FUNCTION audit_logs_only_grow() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN RAISE EXCEPTION '{_WHY}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_EVENTS = ("update", "delete")


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(_FUNCTION)
    for event in _EVENTS:
        head = f"CREATE TRIGGER audit_logs_no_{event} BEFORE {event.upper()} ON audit_logs"
        does = "FOR EACH ROW EXECUTE FUNCTION audit_logs_only_grow()"
        op.execute(f"{head} {does}" if postgres else f"{head} BEGIN SELECT RAISE(ABORT, '{_WHY}'); END")


def downgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for event in _EVENTS:
        op.execute(f"DROP TRIGGER audit_logs_no_{event}" + (" ON audit_logs" if postgres else ""))
    if postgres:
        op.execute("DROP FUNCTION audit_logs_only_grow()")
