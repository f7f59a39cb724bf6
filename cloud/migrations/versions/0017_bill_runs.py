"""Fewer indexes under a bill run.

Revision ID: 0017
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0017_bill_runs.sql")
