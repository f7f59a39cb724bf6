"""Metering, tariffs and gateways: what came after the first schema.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0002_metering.sql")
