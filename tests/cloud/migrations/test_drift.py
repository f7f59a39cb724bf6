"""The frozen SQL makes the same database as the code's own tables do: no column, key, index or guard has drifted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import OWNER
from cloud.ledger.routes import route_rows
from cloud.migrations.scripts import run_script
from tests.support.postgres import TestServer
from tests.support.schema import guards, whole_metadata

MODELLED = "modelled"
# What stands in the frozen SQL alone, because no flag of a table asks for it.
BY_HAND = {
    "facts_of_billed_premises",
    "facts_stay",
    "journal_of_open_day",
    "known_of_transfer",
    "known_of_bill",
    "known_of_bill_line",
}
QUESTIONS = {
    "columns": """
        select table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
        from information_schema.columns where table_schema = 'public'""",
    "constraints": """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'public'::regnamespace""",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "policies": "select tablename, policyname, cmd, qual, with_check from pg_policies where schemaname = 'public'",
    "security": """
        select relname, relrowsecurity, relforcerowsecurity from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')""",
    "grants": """
        select table_name, grantee, privilege_type from information_schema.role_table_grants
        where table_schema = 'public'
        and grantee in ('gatehouse_app', 'gatehouse_worker', 'gatehouse_bulk')""",
    "triggers": """
        select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal""",
}
Facts = set[tuple[str, ...]]


@pytest.fixture(scope="module")
def modelled(server: TestServer) -> Iterator[str]:
    """A database made from the metadata and the guards that its flags ask for."""
    server.server.create_database(MODELLED)
    conninfo = server.server.conninfo(role=OWNER, database=MODELLED)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("create extension if not exists btree_gist")
        run_script(connection, "0001_functions.sql")
        whole_metadata().create_all(connection)
        for statement in guards(whole_metadata()):
            connection.exec_driver_sql(statement)
    yield MODELLED
    server.server.drop_database(MODELLED)


def facts(server: TestServer, database: str, question: str) -> Facts:
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database)) as connection:
        rows = connection.execute(question).fetchall()
    found = {tuple(map(str, row)) for row in rows}
    return {row for row in found if row[0] != "alembic_version" and not BY_HAND & set(row)}


@pytest.mark.parametrize("subject", sorted(QUESTIONS))
def test_the_frozen_schema_is_the_one_the_tables_describe(
    server: TestServer, database_name: str, modelled: str, subject: str
) -> None:
    frozen = facts(server, database_name, QUESTIONS[subject])
    described = facts(server, modelled, QUESTIONS[subject])
    assert frozen
    assert frozen - described == set(), "in the frozen SQL and not in the tables"
    assert described - frozen == set(), "in the tables and not in the frozen SQL: write a revision"


def test_a_column_that_drifted_is_seen(server: TestServer, database_name: str, modelled: str) -> None:
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        connection.execute("alter table community add column drifted text")
    assert facts(server, database_name, QUESTIONS["columns"]) != facts(server, modelled, QUESTIONS["columns"])


def test_the_routes_of_the_database_are_those_the_ledger_names(server: TestServer, database_name: str) -> None:
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        rows = connection.execute("select code, debit_class, credit_class, needs_approval from fund_route").fetchall()
    assert sorted(rows) == sorted(tuple(row) for row in route_rows())


def test_revisions_follow_one_another_in_the_order_of_their_numbers_and_their_files_are_there() -> None:
    folder = Path(__file__).resolve().parents[3] / "cloud" / "migrations"
    follows = {}
    for path in sorted((folder / "versions").glob("[0-9]*_*.py")):
        found = re.search(r"^down_revision = (None|\"\d{4}\")$", path.read_text(), re.MULTILINE)
        assert found, path.name
        follows[path.name[:4]] = found[1].strip('"')
    assert list(follows.values()) == ["None", *list(follows)[:-1]]
    assert (folder / "sql" / "0001_tables.sql").is_file()
