"""The first schema: every table from the metadata, then the guards.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

from cloud.migrations import security
from cloud.migrations.discovery import whole_metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then guard them."""
    metadata = whole_metadata()
    connection = op.get_bind()
    op.execute("create extension if not exists btree_gist")
    security.run_script(connection, "guards.sql")
    metadata.create_all(connection)
    for statement in security.guards(metadata):
        op.execute(statement)
    security.run_script(connection, "directory.sql")
