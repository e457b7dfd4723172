"""names: what a symbol is called in English, for who reads the desk in English

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instruments", sa.Column("name_en", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("instruments", "name_en")
