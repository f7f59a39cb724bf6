"""Seal keys in tokens.

Revision ID: 0016
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0016_seals_payouts.sql")
