"""Documents, seals, notices and dunning.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0006_papers.sql")
