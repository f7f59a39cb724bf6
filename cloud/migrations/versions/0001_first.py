"""The first schema, as frozen SQL: functions of the guards, tables with their keys and guards, the directory.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

from cloud.migrations.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; the files are never edited again, a change is a revision of its own."""
    op.execute("create extension if not exists btree_gist")
    for name in ("0001_functions.sql", "0001_tables.sql", "0001_directory.sql"):
        run_script(op.get_bind(), name)
