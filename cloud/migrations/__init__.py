"""The schema of the database and its changes, applied by the owner role in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

SCRIPTS = Path(__file__).parent


def upgrade(conninfo: str, revision: str = "head") -> None:
    """Bring a database to a revision of the schema; a database that is there already is left as it is.

    Args:
        conninfo: the libpq connection string of the owner role.
        revision: the revision to reach.
    """
    engine = create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo), poolclass=NullPool)
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
