"""A revision's file of statements runs as a whole inside the transaction of its revision."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cloud.kit.roles import OWNER
from cloud.migrations.scripts import run_script
from tests.support.postgres import TestServer


def test_a_script_is_undone_with_its_transaction(server: TestServer) -> None:
    server.server.create_database("scripts")
    conninfo = server.server.conninfo(role=OWNER, database="scripts")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    defined = text("select count(*) from pg_proc where proname = 'refuse_change'")
    try:
        with engine.connect() as connection:
            run_script(connection, "0001_functions.sql")
            assert connection.scalar(defined) == 1
            connection.rollback()
            assert connection.scalar(defined) == 0
    finally:
        server.server.drop_database("scripts")


def test_a_script_that_is_not_there_is_named(server: TestServer, database_name: str) -> None:
    conninfo = server.server.conninfo(role=OWNER, database=database_name)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(FileNotFoundError, match=r"nothing\.sql"):
        run_script(connection, "nothing.sql")
