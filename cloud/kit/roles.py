"""The roles of the database. They belong to a whole server, so a superuser makes them once, before any migration.

| role                | logs in | may                                                                       |
| ------------------- | ------- | ------------------------------------------------------------------------- |
| gatehouse_owner     | yes     | own and change the schema; row security binds it too                      |
| gatehouse_app       | yes     | read and write rows of the company of its transaction                     |
| gatehouse_worker    | yes     | the same; claim jobs of all companies; become the loader                  |
| gatehouse_bulk      | no      | INSERT into the bulk tables, past row security, checked by trigger        |
| gatehouse_directory | no      | own the directory's functions, which read past row security               |
"""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import Connection

OWNER = "gatehouse_owner"
APP = "gatehouse_app"
WORKER = "gatehouse_worker"
BULK = "gatehouse_bulk"
DIRECTORY = "gatehouse_directory"

_ATTRIBUTES: dict[LiteralString, LiteralString] = {
    "gatehouse_owner": "login nosuperuser nobypassrls nocreaterole nocreatedb",
    "gatehouse_app": "login nosuperuser nobypassrls nocreaterole nocreatedb",
    "gatehouse_worker": "login nosuperuser nobypassrls nocreaterole nocreatedb",
    "gatehouse_bulk": "nologin nosuperuser bypassrls nocreaterole nocreatedb",
    "gatehouse_directory": "nologin nosuperuser bypassrls nocreaterole nocreatedb",
}
_MEMBERSHIPS: tuple[LiteralString, ...] = (
    "grant gatehouse_bulk to gatehouse_worker with inherit false, set true",
    "grant gatehouse_directory to gatehouse_owner with inherit false, set true",
)


def ensure_roles(connection: Connection[Any]) -> None:
    """Create the roles that are missing and set their attributes; needs a superuser."""
    present = {row[0] for row in connection.execute("select rolname from pg_roles")}
    for role, attributes in _ATTRIBUTES.items():
        verb: LiteralString = "alter" if role in present else "create"
        connection.execute(f"{verb} role {role} {attributes}")
    for membership in _MEMBERSHIPS:
        connection.execute(membership)
