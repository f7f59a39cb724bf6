"""Automatic deduction and how payments are divided.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0009_deductions.sql")
