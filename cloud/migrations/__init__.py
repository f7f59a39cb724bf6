"""The schema of the database and its changes, applied by the owner role in one transaction.

A file `versions/NNNN_subject.py` is the revision NNNN. Most starts find the newest one in place and load no alembic.
"""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from common.errors import RefusalError

SCRIPTS = Path(__file__).parent
HEAD = "head"


def upgrade(conninfo: str, revision: str = HEAD) -> None:
    """Bring a database to a revision of the schema; one process at a time, and what is done already stays.

    Args:
        conninfo: the libpq connection string of the owner role.
        revision: the revision to reach.
    """
    with _engine(conninfo).begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('gatehouse migrate'))"))
        if revision == HEAD and current(connection) == newest():
            return
        from cloud.migrations.applying import apply  # noqa: PLC0415 - alembic costs a start 0.3 s and 10 MB

        apply(connection, revision)


def require_current(conninfo: str) -> None:
    """Go on only when the database has the newest revision of the schema.

    Raises:
        RefusalError: it has another one.
    """
    with _engine(conninfo).connect() as connection:
        found = current(connection)
    if found != newest():
        raise RefusalError(
            f"the database is at revision {found}, this program needs {newest()}; run `gatehouse cloud migrate`"
        )


def newest() -> str:
    """Return the newest revision this program knows."""
    return max(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def current(connection: Connection) -> str | None:
    """Return the revision of a database, or None when it has no schema yet."""
    if connection.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def _engine(conninfo: str) -> Engine:
    return create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo), poolclass=NullPool)
