"""Tax invoices and instalments.

Revision ID: 0014
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0014_invoices.sql")
