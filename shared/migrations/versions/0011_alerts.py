"""alerts: what waits for a person is found by its severity, however many tell of fills

Revision: 0011, after 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_alerts_waiting", "alerts", ["acknowledged_at", "severity", "last_at"])
    op.drop_index("ix_alerts_open", "alerts")


def downgrade() -> None:
    op.create_index("ix_alerts_open", "alerts", ["acknowledged_at", "created_at"])
    op.drop_index("ix_alerts_waiting", "alerts")
