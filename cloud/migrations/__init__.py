"""The schema of the database and its changes, applied by the owner role in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from common.errors import RefusalError

SCRIPTS = Path(__file__).parent


def upgrade(conninfo: str, revision: str = "head") -> None:
    """Bring a database to a revision of the schema; one process at a time, and what is done already stays.

    Args:
        conninfo: the libpq connection string of the owner role.
        revision: the revision to reach.
    """
    configuration = _configuration()
    with _engine(conninfo).begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('gatehouse migrate'))"))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)


def require_current(conninfo: str) -> None:
    """Go on only when the database has the newest revision of the schema.

    Raises:
        RefusalError: it has another one.
    """
    newest = ScriptDirectory.from_config(_configuration()).get_current_head()
    with _engine(conninfo).connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != newest:
        raise RefusalError(
            f"the database is at revision {found}, this program needs {newest}; run `gatehouse cloud migrate`"
        )


def _engine(conninfo: str) -> Engine:
    return create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo), poolclass=NullPool)


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS))
    return configuration
