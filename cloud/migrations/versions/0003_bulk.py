"""Bill runs in bulk.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0003_bulk.sql")
