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
    op.execute("create extension if not exists btree_gist")
    for statement in security.functions():
        op.execute(statement)
    metadata.create_all(op.get_bind())
    for statement in security.guards(metadata):
        op.execute(statement)
    for statement in security.directory():
        op.execute(statement)
