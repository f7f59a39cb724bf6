"""`python -m tests.bench.billing [households]`: a bill run of the product against the raw load of the same rows.

An embedded PostgreSQL with durable commits is filled with a town; two worker processes drain the approved runs of all
its communities, from usage stored as blocks to committed bills. Then the very same rows are copied, in binary form and
by as many connections, into empty tables with the same keys, indexes and constraints, one commit for each community.
The ratio of the two is the gate; seconds are reported. A second run over the same period must write nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from cloud import migrations
from cloud.billing import runs, tasks
from cloud.billing.events import RunRequested
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.postgres import SUPERUSER, EmbeddedPostgres
from cloud.kit.roles import APP, OWNER, WORKER
from common.ids import LegalEntityId, TenantId, TimeOrderedIds
from tests.bench.billing_town import HOUSEHOLDS_PER_COMMUNITY, NOW, PERIOD, Community, Filler, price_community
from tests.support.clock import SettableClock

HOUSEHOLDS = 100_000
WORKERS = 2
RATIO_MAX = 1.5
PEAK_MIB_MAX = 300
RAW_HOUSEHOLDS_MAX = 200_000
DATABASE = "bench"
TABLES = ("ledger_account", "journal", "transfer", "bill", "bill_line", "obligation", "rating_input", "apportionment")
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure with its unit, and the gate it has to pass if it has one."""

    name: str
    value: float
    unit: str
    most: float | None = None

    @property
    def passed(self) -> bool:
        """Return whether the gate holds."""
        return self.most is None or self.value <= self.most


class Town:
    """A filled database and its communities."""

    def __init__(self, server: EmbeddedPostgres, tenant: TenantId, communities: Sequence[Community]) -> None:
        self.server = server
        self.tenant = tenant
        self.communities = communities

    def superuser(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """Connect past row security."""
        return psycopg.connect(self.server.conninfo(role=SUPERUSER, database=DATABASE), autocommit=autocommit)

    def rows(self) -> dict[str, int]:
        """Return how many rows stand in each table that a run writes."""
        with self.superuser() as connection:
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
    database = _database(server, APP)
    tenant = TenantId(database.new_id())
    async with database.unit(tenant, system_actor("bench")) as unit:
        entity = await estate.create_tenant(unit, code="bench", name="bench")
    numbers = range(-(-households // HOUSEHOLDS_PER_COMMUNITY))
    communities = [await price_community(database, tenant, LegalEntityId(entity), number) for number in numbers]
    await database.close()
    town = Town(server, tenant, communities)
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


def _database(server: EmbeddedPostgres, role: str) -> Database:
    clock = SettableClock(NOW)
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    conninfo = server.conninfo(role=role, database=DATABASE)
    return Database(conninfo, clock=clock, ids=ids, route=router({RunRequested: [tasks.bill_run_job]}))


async def _approve(town: Town) -> None:
    database = _database(town.server, APP)
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
    processes = [
        subprocess.Popen(  # noqa: S603 - our own program
            [*command, f"bench-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for number in range(workers)
    ]
    for process in processes:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError("a worker of the bench did not start")
    start = perf_counter()
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("\n")
            process.stdin.flush()
    answers = [process.stdout.readline().split() if process.stdout else [] for process in processes]
    seconds = perf_counter() - start
    for process in processes:
        process.communicate()
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


def measure(households: int, workers: int = WORKERS) -> list[Measure]:
    """Measure a run, a second run and, for towns that are not too large, the raw load."""
    with filled_town(households) as town:
        seconds, peak_mib = run_once(town, workers)
        rows = town.rows()
        if rows["bill"] != households:
            raise RuntimeError(f"{rows['bill']} bills for {households} households")
        again, _ = run_once(town, workers)
        written = sum(town.rows().values()) - sum(rows.values())
        found = [
            Measure(name="run, blocks to committed bills", value=seconds, unit="s"),
            Measure(name="bills", value=households / seconds, unit="/s"),
            Measure(name="lines", value=rows["bill_line"] / seconds, unit="/s"),
            Measure(name="peak memory of a worker", value=peak_mib, unit="MiB", most=PEAK_MIB_MAX),
            Measure(name="second run", value=again, unit="s"),
            Measure(name="rows of the second run", value=written, unit="", most=0),
        ]
        if households <= RAW_HOUSEHOLDS_MAX:
            with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
                raw = raw_load(town, Path(folder), workers)
            found += [
                Measure(name="raw load of the same rows", value=raw, unit="s"),
                Measure(name="run / raw load", value=seconds / raw, unit="x", most=RATIO_MAX),
            ]
    return found


def main() -> int:
    """Print every measure and return 0 when all gates hold."""
    households = int(sys.argv[1]) if len(sys.argv) > 1 else HOUSEHOLDS
    measures = measure(households)
    for one in measures:
        gate = "" if one.most is None else f"  (at most {one.most:g}: {'pass' if one.passed else 'FAIL'})"
        sys.stdout.write(f"{one.name:32} {one.value:>14,.2f} {one.unit}{gate}\n")
    return 0 if all(one.passed for one in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
