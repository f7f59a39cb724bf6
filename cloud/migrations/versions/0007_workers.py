"""What a worker holds ends with its session.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0007_workers.sql")
