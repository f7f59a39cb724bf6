"""Alembic, applied to a connection that is in a transaction already; see the head of this package."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from cloud.migrations import SCRIPTS


def apply(connection: Connection, revision: str) -> None:
    """Bring the database of a connection to a revision."""
    configuration = scripts()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, revision)


def scripts() -> Config:
    """Return where alembic finds the revisions."""
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS))
    return configuration
