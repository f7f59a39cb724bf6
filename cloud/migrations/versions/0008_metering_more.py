"""What bill runs and corrections need.

Revision ID: 0008
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0008_metering_more.sql")
