"""The catalogue test: walk the real database and find any table, index, key or grant that slipped past the guards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP, BULK, DIRECTORY, OWNER, WORKER
from tests.support.postgres import TestServer
from tests.support.schema import whole_metadata

Catalogue = psycopg.Connection[TupleRow]
REFERENCE_TABLES = {"fund_route"}
OTHER_TABLES = {"alembic_version"}
POLICY = "(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"


@pytest.fixture
def catalogue(server: TestServer, database_name: str) -> Iterator[Catalogue]:
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=database_name)) as connection:
        yield connection


def tables(catalogue: Catalogue) -> set[str]:
    found = catalogue.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    )
    return {row[0] for row in found}


def company_tables(catalogue: Catalogue) -> set[str]:
    return tables(catalogue) - REFERENCE_TABLES - OTHER_TABLES


def test_every_table_of_the_metadata_is_there_and_no_other(catalogue: Catalogue) -> None:
    assert tables(catalogue) == set(whole_metadata().tables) | OTHER_TABLES


def test_row_security_is_enabled_and_forced_on_every_table_of_companies_with_the_one_policy(
    catalogue: Catalogue,
) -> None:
    found = catalogue.execute(
        "select c.relname, c.relrowsecurity and c.relforcerowsecurity,"
        " array_agg(pg_get_expr(p.polqual, p.polrelid) || '/' || pg_get_expr(p.polwithcheck, p.polrelid)"
        "   || '/' || p.polcmd::text || '/' || p.polpermissive::text)"
        " from pg_class c left join pg_policy p on p.polrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') group by 1, 2"
    )
    policies = {name: (forced, policy) for name, forced, policy in found}
    for table in company_tables(catalogue):
        assert policies[table] == (True, [f"{POLICY}/{POLICY}/*/true"]), table


def test_the_company_comes_first_in_every_key_and_every_index(catalogue: Catalogue) -> None:
    found = catalogue.execute(
        "select t.relname, i.relname, a.attname, x.indisunique from pg_index x"
        " join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid"
        " left join pg_attribute a on a.attrelid = t.oid and a.attnum = x.indkey[0]"
        " where t.relnamespace = 'public'::regnamespace"
    )
    by_machine = {"ix_job_due", "ix_job_done"}  # read by the directory across companies, never unique
    checked = company_tables(catalogue)
    for table, index, first_column, unique in found:
        if table in checked and index not in by_machine:
            assert first_column == "tenant_id", index
        assert index not in by_machine or not unique


def test_every_foreign_key_between_tables_of_companies_carries_the_company_on_both_sides(catalogue: Catalogue) -> None:
    found = catalogue.execute(
        "select k.conname, t.relname, a.attname, b.attname from pg_constraint k"
        " join pg_class t on t.oid = k.confrelid"
        " join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]"
        " join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]"
        " where k.contype = 'f' and k.connamespace = 'public'::regnamespace"
    )
    keys = [row for row in found if row[1] not in REFERENCE_TABLES]
    assert keys
    for name, _, here, there in keys:
        assert (here, there) == ("tenant_id", "tenant_id"), name


def test_roles_have_no_more_power_than_their_work_needs(catalogue: Catalogue) -> None:
    found = catalogue.execute(
        "select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb from pg_roles"
        " where rolname = any (%s)",
        [[OWNER, APP, WORKER, BULK, DIRECTORY]],
    )
    powers = {row[0]: row[1:] for row in found}
    assert powers == {
        OWNER: (False, False, True, False, False),
        APP: (False, False, True, False, False),
        WORKER: (False, False, True, False, False),
        BULK: (False, True, False, False, False),
        DIRECTORY: (False, True, False, False, False),
    }
    members = catalogue.execute(
        "select r.rolname, m.rolname, inherit_option from pg_auth_members a"
        " join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname <> %s"
        " and r.rolname like 'gatehouse%%'",
        [SUPERUSER],
    )
    assert set(members) == {(BULK, WORKER, False), (DIRECTORY, OWNER, False)}


def grants(catalogue: Catalogue) -> dict[tuple[str, str], set[str]]:
    found = catalogue.execute(
        "select table_name, grantee, privilege_type from information_schema.role_table_grants"
        " where table_schema in ('public', 'directory') and grantee <> %s",
        [OWNER],
    )
    held: dict[tuple[str, str], set[str]] = {}
    for table, role, privilege in found:
        held.setdefault((table, role), set()).add(privilege)
    return held


def test_each_role_holds_exactly_the_grants_that_the_flags_of_the_tables_give(catalogue: Catalogue) -> None:
    expected: dict[tuple[str, str], set[str]] = {
        ("job", DIRECTORY): {"SELECT", "UPDATE", "DELETE"},
        ("job_archive", DIRECTORY): {"SELECT", "INSERT"},
        ("entry", DIRECTORY): {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"},
    }
    for name, table in whole_metadata().tables.items():
        verbs = {"SELECT", "INSERT", "UPDATE", "DELETE"}
        if table.info.get("append_only"):
            verbs = {"SELECT", "INSERT"}
        if name in REFERENCE_TABLES:
            verbs = {"SELECT"}
        for role in (APP, WORKER):
            expected[name, role] = verbs
        if table.info.get("bulk"):
            expected[name, BULK] = {"INSERT"}
    assert grants(catalogue) == expected


DEEDS: tuple[LiteralString, ...] = (
    "update {table} set {column} = {column}",
    "delete from {table}",
    "truncate {table} cascade",
)


def first_column(table: str) -> str:
    return next(iter(whole_metadata().tables[table].columns)).name


def test_append_only_tables_refuse_change_even_by_their_owner(server: TestServer, database_name: str) -> None:
    flagged = [name for name, table in whole_metadata().tables.items() if table.info.get("append_only")]
    assert {"audit", "transfer", "bill_line"} <= set(flagged)
    with psycopg.connect(server.server.conninfo(role=OWNER, database=database_name), autocommit=True) as owner:
        for name in flagged:
            names = {"table": sql.Identifier(name), "column": sql.Identifier(first_column(name))}
            for deed in DEEDS:
                with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                    owner.execute(sql.SQL(deed).format(**names))


def test_every_bulk_table_checks_the_company_of_loaded_rows(catalogue: Catalogue) -> None:
    flagged = {name for name, table in whole_metadata().tables.items() if table.info.get("bulk")}
    found = catalogue.execute("select tgrelid::regclass::text from pg_trigger where tgname = 'same_company'")
    assert {row[0] for row in found} == flagged


def test_the_functions_of_the_directory_are_closed_to_everybody_else(catalogue: Catalogue) -> None:
    found = catalogue.execute(
        "select p.proname, p.prosecdef, has_function_privilege(%s, p.oid, 'execute'),"
        " has_function_privilege(%s, p.oid, 'execute'), has_function_privilege(%s, p.oid, 'execute')"
        " from pg_proc p where p.pronamespace = 'directory'::regnamespace",
        [APP, WORKER, BULK],
    )
    open_to_app = {"find", "enter", "withdraw"}
    plain = {"digest", "company"}
    seen = set()
    for name, definer, app, worker, bulk in found:
        seen.add(name)
        assert definer == (name not in plain), name
        assert app == (name in open_to_app), name
        assert worker, name
        assert not bulk, name
    of_workers = {"keep_name", "claim_jobs", "free_jobs_of_the_gone", "archive_jobs", "job_counts", "companies"}
    assert seen == open_to_app | plain | of_workers


def test_no_role_can_read_the_directory_itself(server: TestServer, database_name: str) -> None:
    for role in (APP, WORKER, OWNER):
        with (
            psycopg.connect(server.server.conninfo(role=role, database=database_name)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("select * from directory.entry")
