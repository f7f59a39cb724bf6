"""Charge items, late charges, settlements, periods and imports.

Revision ID: 0004
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0004_charges.sql")
