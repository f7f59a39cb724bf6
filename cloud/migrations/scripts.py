"""Running a file of statements from the folder `sql` inside a revision's transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from common.errors import InvariantError

_SQL = Path(__file__).parent / "sql"


def run_script(connection: Connection, name: str) -> None:
    """Run a file of statements in the connection's transaction."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise InvariantError("a migration runs on an open connection")
    driver.execute((_SQL / name).read_bytes())
