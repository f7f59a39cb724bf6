"""Estimates of missing readings, and virtual meters.

Revision ID: 0013
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0013_metering_estimates.sql")
