"""Changes of prices for the past; shared accounts of a book by their type.

Revision ID: 0012
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the revision."""
    run_script(op.get_bind(), "0012_desk_speed.sql")
