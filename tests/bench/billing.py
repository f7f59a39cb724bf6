"""`python -m tests.bench.billing [households]`: a bill run of the product against the raw load of the same rows.

An embedded PostgreSQL with durable commits is filled with a town; two worker processes drain the approved runs of all
its communities, from usage stored as blocks to committed bills. Then the very same rows are copied, in binary form and
by as many connections, into empty tables with the same keys, indexes and constraints, one commit for each community.
The ratio of the two is the gate; seconds are reported. A second run over the same period must write nothing. Then the
book, the dashboard and corrections far back are measured beside it; see `billing_desk.py`.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from cloud import migrations
from cloud.billing import runs
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import system_actor
from cloud.kit.postgres import EmbeddedPostgres
from cloud.kit.roles import APP, OWNER, WORKER
from common.ids import LegalEntityId, TenantId
from tests.bench import billing_desk
from tests.bench.billing_stand import DATABASE, Measure, Town, connect, in_step
from tests.bench.billing_town import HOUSEHOLDS_PER_COMMUNITY, NOW, PERIOD, Community, Filler, price_community

HOUSEHOLDS = 100_000
WORKERS = 2
RATIO_MAX = 1.5
PEAK_MIB_MAX = 300
SECOND_RUN_S_MAX = 1.0
RAW_HOUSEHOLDS_MAX = 200_000
TABLES = ("ledger_account", "journal", "transfer", "bill", "bill_line", "obligation", "rating_input", "apportionment")


def rows(town: Town) -> dict[str, int]:
    """Return how many rows stand in each table that a run writes."""
    with town.superuser() as connection:
        return {table: count(connection, table) for table in TABLES}


def count(connection: psycopg.Connection[Any], table: str) -> int:
    """Return the count of rows of a table."""
    statement = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    found = connection.execute(statement).fetchone()
    return int(found[0]) if found else 0


@contextmanager
def filled_town(households: int) -> Iterator[Town]:
    """Start a durable server, fill it, and forget it with the block."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder)
    try:
        with server.hold():
            server.create_database(DATABASE)
            migrations.upgrade(server.conninfo(role=OWNER, database=DATABASE))
            yield asyncio.run(_fill(server, households))
    finally:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(server: EmbeddedPostgres, households: int) -> Town:
    database = connect(server, APP)
    tenant = TenantId(database.new_id())
    async with database.unit(tenant, system_actor("bench")) as unit:
        entity = await estate.create_tenant(unit, code="bench", name="bench")
    numbers = range(-(-households // HOUSEHOLDS_PER_COMMUNITY))
    communities = [await price_community(database, tenant, LegalEntityId(entity), number) for number in numbers]
    await database.close()
    town = Town(server=server, tenant=tenant, entity=LegalEntityId(entity), communities=communities)
    with town.superuser() as connection:
        filler = Filler(connection, tenant)
        left = households
        for community in communities:
            filler.fill(community, min(left, HOUSEHOLDS_PER_COMMUNITY))
            connection.commit()
            left -= HOUSEHOLDS_PER_COMMUNITY
    with town.superuser(autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return town


async def _approve(town: Town) -> None:
    database = connect(town.server, APP)
    for community in town.communities:
        scope = RunScope(community_id=community.community_id, cycle=MONTHLY, period_start=PERIOD.start)
        async with database.unit(town.tenant, system_actor("bench")) as unit:
            await runs.request_run(unit, scope)
    await database.close()


def run_once(town: Town, workers: int = WORKERS) -> tuple[float, float]:
    """Approve a run of every community, drain it by worker processes, and return seconds and peak memory in MiB."""
    asyncio.run(_approve(town))
    conninfo = town.server.conninfo(role=WORKER, database=DATABASE)
    command = [sys.executable, "-m", "tests.bench.billing_worker", conninfo, NOW.isoformat()]
    seconds, answers = in_step([[*command, f"bench-{number}"] for number in range(workers)])
    return seconds, max(int(answer[1]) for answer in answers) / 1024


def raw_load(town: Town, folder: Path, workers: int = WORKERS) -> float:
    """Copy the very same rows into empty tables of the same shape, and return the seconds that took."""
    with town.superuser() as connection:
        for table in TABLES:
            names = {"raw": sql.Identifier(f"raw_{table}"), "table": sql.Identifier(table)}
            connection.execute(sql.SQL("create table {raw} (like {table} including all)").format(**names))
            for community in town.communities:
                _dump(connection, table, community.community_id, folder)
    with town.superuser(autocommit=True) as connection:
        connection.execute("checkpoint")
    chunks = [town.communities[number::workers] for number in range(workers)]
    start = perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda chunk: _load(town, chunk, folder), chunks))
    return perf_counter() - start


def _dump(connection: psycopg.Connection[Any], table: str, community_id: UUID, folder: Path) -> None:
    statement = sql.SQL("copy (select * from {} where community_id = {}) to stdout (format binary)").format(
        sql.Identifier(table), sql.Literal(community_id)
    )
    target = folder / f"{table}-{community_id}"
    with target.open("wb") as out, connection.cursor() as cursor, cursor.copy(statement) as copy:
        out.writelines(copy)


def _load(town: Town, communities: Sequence[Community], folder: Path) -> None:
    with town.superuser() as connection, connection.cursor() as cursor:
        for community in communities:
            for table in TABLES:
                statement = sql.SQL("copy {} from stdin (format binary)").format(sql.Identifier(f"raw_{table}"))
                with cursor.copy(statement) as copy:
                    copy.write((folder / f"{table}-{community.community_id}").read_bytes())
            connection.commit()


def measure(households: int, workers: int = WORKERS, *, beside: bool = False) -> list[Measure]:
    """Measure a run, a second run and, for towns that are not too large, the raw load; and what stands beside runs."""
    with filled_town(households) as town:
        seconds, peak_mib = run_once(town, workers)
        written = rows(town)
        if written["bill"] != households:
            raise RuntimeError(f"{written['bill']} bills for {households} households")
        again, _ = run_once(town, workers)
        more = sum(rows(town).values()) - sum(written.values())
        found = [
            Measure(name="run, blocks to committed bills", value=seconds, unit="s"),
            Measure(name="bills", value=households / seconds, unit="/s"),
            Measure(name="lines", value=written["bill_line"] / seconds, unit="/s"),
            Measure(name="peak memory of a worker", value=peak_mib, unit="MiB", most=PEAK_MIB_MAX),
            Measure(name="second run", value=again, unit="s", most=SECOND_RUN_S_MAX),
            Measure(name="rows of the second run", value=more, unit="", most=0),
        ]
        if households <= RAW_HOUSEHOLDS_MAX:
            with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
                raw = raw_load(town, Path(folder), workers)
            found += [
                Measure(name="raw load of the same rows", value=raw, unit="s"),
                Measure(name="run / raw load", value=seconds / raw, unit="x", most=RATIO_MAX),
            ]
        if beside:
            found += [*billing_desk.journals(town), *billing_desk.dashboard(town), *billing_desk.corrected(town)]
    return found


def main() -> int:
    """Print every measure and return 0 when all gates hold."""
    households = int(sys.argv[1]) if len(sys.argv) > 1 else HOUSEHOLDS
    measures = measure(households, beside=True)
    for one in measures:
        sys.stdout.write(f"{one.name:42} {one.value:>14,.2f} {one.unit}{one.limit}\n")
    return 0 if all(one.passed for one in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
