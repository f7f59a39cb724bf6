"""`python -m tests.bench.billing [households]`: a bill run of the product against the raw load of the same rows.

An embedded PostgreSQL with durable commits is filled with a town; two worker processes drain the approved runs of all
its communities, from usage stored as blocks to committed bills. Then the very same rows are copied, in binary form and
by as many connections, into empty tables with the same keys, indexes and constraints, one commit for each community.
The ratio of the two is the gate; seconds are reported, and beside them the processor time of both, which others on the
same machine disturb less. A second run over the same period must write nothing. Then the
book, the dashboard and corrections far back are measured beside it; see `billing_desk.py`.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time
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
from common.civil import Period
from common.ids import LegalEntityId, TenantId
from tests.bench import billing_desk
from tests.bench.billing_stand import DATABASE, Measure, Town, connect, in_step, server_cpu_s
from tests.bench.billing_town import (
    HOUSEHOLDS_PER_COMMUNITY,
    NOW,
    ONE_PERIOD,
    PERIOD,
    Community,
    Filler,
    History,
    price_community,
)

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
def filled_town(households: int, history: History = ONE_PERIOD) -> Iterator[Town]:
    """Start a durable server, fill it, and forget it with the block."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-", dir="/var/tmp"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder)
    try:
        with server.hold():
            server.create_database(DATABASE)
            migrations.upgrade(server.conninfo(role=OWNER, database=DATABASE))
            yield asyncio.run(_fill(server, households, history))
    finally:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(server: EmbeddedPostgres, households: int, history: History) -> Town:
    database = connect(server, APP)
    tenant = TenantId(database.new_id())
    async with database.unit(tenant, system_actor("bench")) as unit:
        entity = await estate.create_tenant(unit, code="bench", name="bench")
    numbers = range(-(-households // HOUSEHOLDS_PER_COMMUNITY))
    communities = [
        await price_community(database, tenant, LegalEntityId(entity), number, history.starts) for number in numbers
    ]
    await database.close()
    town = Town(server=server, tenant=tenant, entity=LegalEntityId(entity), communities=communities)
    with town.superuser() as connection:
        filler = Filler(connection, tenant, history)
        left = households
        for community in communities:
            filler.fill(community, min(left, HOUSEHOLDS_PER_COMMUNITY))
            connection.commit()
            left -= HOUSEHOLDS_PER_COMMUNITY
    with town.superuser(autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return town


async def _approve(town: Town, period: Period) -> None:
    database = connect(town.server, APP)
    for community in town.communities:
        scope = RunScope(community_id=community.community_id, cycle=MONTHLY, period_start=period.start)
        async with database.unit(town.tenant, system_actor("bench")) as unit:
            await runs.request_run(unit, scope)
    await database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load took: seconds, processor seconds of its clients and of the server, peak memory of a client."""

    seconds: float
    clients_cpu_s: float
    server_cpu_s: float
    peak_mib: float

    @property
    def cpu_s(self) -> float:
        """Return the processor seconds of both sides."""
        return self.clients_cpu_s + self.server_cpu_s


def run_once(town: Town, workers: int = WORKERS, period: Period = PERIOD) -> Load:
    """Approve a run of every community and drain it by worker processes."""
    asyncio.run(_approve(town, period))
    return _drained(town, workers, NOW)


def drain(town: Town, workers: int = WORKERS, now: datetime = NOW) -> tuple[float, float]:
    """Let worker processes do every job that waits, and return seconds and peak memory in MiB."""
    load = _drained(town, workers, now)
    return load.seconds, load.peak_mib


def _drained(town: Town, workers: int, now: datetime) -> Load:
    conninfo = town.server.conninfo(role=WORKER, database=DATABASE)
    command = [sys.executable, "-m", "tests.bench.billing_worker", conninfo, now.isoformat()]
    before_s = server_cpu_s(town)
    seconds, answers = in_step([[*command, f"bench-{number}"] for number in range(workers)])
    return Load(
        seconds=seconds,
        clients_cpu_s=sum(float(answer[2]) for answer in answers),
        server_cpu_s=server_cpu_s(town) - before_s,
        peak_mib=max(int(answer[1]) for answer in answers) / 1024,
    )


def raw_load(town: Town, folder: Path, workers: int = WORKERS) -> Load:
    """Copy the very same rows into empty tables of the same shape."""
    with town.superuser() as connection:
        for table in TABLES:
            names = {"raw": sql.Identifier(f"raw_{table}"), "table": sql.Identifier(table)}
            connection.execute(sql.SQL("create table {raw} (like {table} including all)").format(**names))
            for community in town.communities:
                _dump(connection, table, community.community_id, folder)
    with town.superuser(autocommit=True) as connection:
        connection.execute("checkpoint")
    chunks = [town.communities[number::workers] for number in range(workers)]
    server_s, start, cpu_start = server_cpu_s(town), perf_counter(), process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda chunk: _load(town, chunk, folder), chunks))
    seconds, cpu_s = perf_counter() - start, process_time() - cpu_start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Load(seconds=seconds, clients_cpu_s=cpu_s, server_cpu_s=server_cpu_s(town) - server_s, peak_mib=peak_mib)


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
        run = run_once(town, workers)
        written = rows(town)
        if written["bill"] != households:
            raise RuntimeError(f"{written['bill']} bills for {households} households")
        again = run_once(town, workers)
        more = sum(rows(town).values()) - sum(written.values())
        found = [
            Measure(name="run, blocks to committed bills", value=run.seconds, unit="s"),
            Measure(name="bills", value=households / run.seconds, unit="/s"),
            Measure(name="lines", value=written["bill_line"] / run.seconds, unit="/s"),
            Measure(name="processor time of the workers", value=run.clients_cpu_s, unit="s"),
            Measure(name="processor time of the server", value=run.server_cpu_s, unit="s"),
            Measure(name="peak memory of a worker", value=run.peak_mib, unit="MiB", most=PEAK_MIB_MAX),
            Measure(name="second run", value=again.seconds, unit="s", most=SECOND_RUN_S_MAX),
            Measure(name="rows of the second run", value=more, unit="", most=0),
        ]
        if households <= RAW_HOUSEHOLDS_MAX:
            with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
                raw = raw_load(town, Path(folder), workers)
            found += [
                Measure(name="raw load of the same rows", value=raw.seconds, unit="s"),
                Measure(name="processor time of the raw load", value=raw.cpu_s, unit="s"),
                Measure(name="run / raw load in processor time", value=run.cpu_s / raw.cpu_s, unit="x"),
                Measure(name="run / raw load", value=run.seconds / raw.seconds, unit="x", most=RATIO_MAX),
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
