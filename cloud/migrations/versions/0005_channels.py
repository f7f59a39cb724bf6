"""Payment channels, fund flow and bank statements.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0005_channels.sql")
