"""Providers of messages.

Revision ID: 0010
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0010_messages.sql")
