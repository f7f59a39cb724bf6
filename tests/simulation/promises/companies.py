"""Companies never see each other, as the database itself enforces it: every table, asked as every company.

Asked is the role that the application works as, with the company set as the application sets it, and with none set.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tests.simulation.promises.stores import Comparison, Figures, Look


def _tables(look: Look) -> list[str]:
    """Return all ordinary and partitioned tables that carry a company."""
    rows = look.rows("""
        select c.relname as name
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
         where c.relkind in ('r', 'p') order by 1
    """)
    return [row.name for row in rows]


def _companies_apart(look: Look) -> Figures:
    tables = _tables(look)
    owned = _owned(look, tables)
    companies = [row.tenant_id for row in look.rows("select tenant_id from tenant")]
    faults = [f"table {row.name} has no forced row security" for row in _unforced(look)]
    if len(companies) <= 1:
        faults.append("there is one company only, so nothing is shown")
    seen_count, owned_count = 0, 0
    with psycopg.connect(look.stores.company_conninfo, autocommit=True) as connection:
        for company in companies:
            seen = _seen(connection, tables, company)
            foreign = _seen_of_others(connection, tables, company)
            seen_count += sum(seen.values())
            owned_count += sum(owned[table, company] for table in seen)
            faults += [
                f"{table}: a company sees {count} rows, {foreign[table]} of others, and has {owned[table, company]}"
                for table, count in seen.items()
                if foreign[table] or count != owned[table, company]
            ]
        unset = sum(_seen(connection, tables, None).values())
        if unset:
            faults.append(f"{unset} rows are seen with no company set")
    return Figures(left=owned_count, right=seen_count, faults=tuple(faults))


def _unforced(look: Look) -> list[Any]:
    return look.rows("""
        select c.relname as name
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
         where c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
    """)


def _owned(look: Look, tables: list[str]) -> dict[tuple[str, UUID], int]:
    """Return how many rows of each table belong to each company, as a role that sees all of them."""
    counts: dict[tuple[str, UUID], int] = defaultdict(int)
    for table in tables:
        for row in look.rows_by_company(table):
            counts[table, row.tenant_id] = row[1]
    return counts


def _seen(connection: psycopg.Connection[Any], tables: list[str], company: UUID | None) -> dict[str, int]:
    """Return how many rows of each table the application's role sees; tables that it may not read are left out."""
    return _counts(connection, tables, company, sql.SQL("select count(*) from {}"))


def _seen_of_others(connection: psycopg.Connection[Any], tables: list[str], company: UUID) -> dict[str, int]:
    others = sql.SQL("select count(*) from {} where tenant_id <> ") + sql.Literal(company)
    return _counts(connection, tables, company, others)


def _counts(
    connection: psycopg.Connection[Any], tables: list[str], company: UUID | None, query: sql.Composable
) -> dict[str, int]:
    counts = {}
    with connection.transaction():
        setting = "" if company is None else str(company)
        connection.execute("select set_config('app.tenant', %s, true)", [setting])
        for table in tables:
            may = connection.execute("select has_table_privilege(%s, 'select')", [f"public.{table}"]).fetchone()
            if may is not None and may[0]:
                text = sql.SQL(query.as_string()).format(sql.Identifier("public", table))
                row = connection.execute(text).fetchone()
                counts[table] = int(row[0]) if row is not None else 0
    return counts


COMPANIES_APART = Comparison(
    key="companies_apart",
    promise=7,
    name_zh="公司之间互不可见",
    name_en="Companies never see each other",
    compared_zh="两家公司各自拥有的行数（全部表） 与 数据库让各自看到的行数",
    compared_en="rows that each company owns, over all tables | rows that the database lets each of them see",
    figures=_companies_apart,
)
