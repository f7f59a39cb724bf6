"""A bill run while its workers are killed and frozen and PostgreSQL goes down at once: no bill is missing or double."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from cloud import flow
from cloud.billing import runs
from cloud.billing.service import MONTHLY, RunScope
from cloud.estate import service as estate
from cloud.kit.actor import system_actor
from cloud.kit.clock import monotonic_s
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP, WORKER
from common.civil import midnight
from common.ids import LegalEntityId, TenantId, TimeOrderedIds
from tests.bench.billing_town import NOW, PERIOD, STARTS, ZONE, Filler, price_community
from tests.simulation.soak_books.auditor import Auditor
from tests.support.bill_worker import LEASE
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer, test_server
from tests.support.randomness import seeded, seeded_bytes

COMMUNITIES = 12
HOUSEHOLDS = 10
WORKERS = 2
SECONDS_MAX = 230
FAULTS = ("killed", "database down", "killed", "frozen")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@contextmanager
def worker(conninfo: str, name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.bill_worker", conninfo, name]
    process = subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


def figures(conninfo: str) -> tuple[int, int]:
    """Bills there are, and obligations still due."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "select (select count(*) from bill), (select count(*) from obligation where state = 'due')"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def jobs(conninfo: str) -> list[tuple[str, int, str | None]]:
    """State, attempts and last error of each job."""
    with psycopg.connect(conninfo) as connection:
        return connection.execute("select state, attempts, last_error from job where state <> 'done'").fetchall()


def down_at_once(server: TestServer, watching: str, stack: ExitStack) -> None:
    """Let PostgreSQL die without a word, as by a power cut, and start it again."""
    with psycopg.connect(watching) as connection:
        row = connection.execute("show data_directory").fetchone()
    assert row is not None
    pid = int((Path(row[0]) / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    deadline = monotonic_s() + 20
    while Path(f"/proc/{pid}").exists():
        assert monotonic_s() < deadline
        time.sleep(0.02)
    stack.enter_context(server.server.hold())


async def ask_for_runs(server: TestServer, name: str) -> None:
    """Fill the town and approve a run of every community."""
    clock = SettableClock(midnight(STARTS, ZONE))
    ids = TimeOrderedIds(clock.now, seeded_bytes(5))
    database = Database(
        server.server.conninfo(role=APP, database=name), clock=clock, ids=ids, route=router(flow.ROUTES)
    )
    tenant = TenantId(ids.new())
    async with database.unit(tenant, system_actor("set-up")) as unit:
        await estate.create_tenant(unit, code="east", name="东方物业")
    async with database.view(tenant) as session:
        (entity, *_) = await estate.entity_names(session)
    towns = [await price_community(database, tenant, LegalEntityId(entity), n) for n in range(1, COMMUNITIES + 1)]
    with psycopg.connect(server.server.conninfo(role=SUPERUSER, database=name)) as connection:
        filler = Filler(connection, tenant)
        for town in towns:
            filler.fill(town, HOUSEHOLDS)
    clock.set(NOW)
    async with database.unit(tenant, system_actor("boss")) as unit:
        for town in towns:
            scope = RunScope(community_id=town.community_id, cycle=MONTHLY, period_start=PERIOD.start)
            await runs.request_run(unit, scope)
    await database.close()


async def test_workers_and_the_database_go_down_under_a_run_and_every_bill_is_there_once() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(test_server())
        name = stack.enter_context(server.fresh_database())
        await ask_for_runs(server, name)
        watching = server.server.conninfo(role=SUPERUSER, database=name)
        struck = abuse(server, server.server.conninfo(role=WORKER, database=name), watching, stack)
        assert tuple(struck) == FAULTS, "the run was over before it was hit often enough"
        assert figures(watching) == (COMMUNITIES * HOUSEHOLDS, 0)
        auditor = Auditor(watching)
        assert auditor.breaches() == []
        auditor.close()


def abuse(server: TestServer, conninfo: str, watching: str, stack: ExitStack) -> list[str]:
    """Strike in turn, each time the run has come on, until every obligation is met; return what struck."""
    dice, struck, seen = seeded(20261123), list[str](), 0
    deadline = monotonic_s() + SECONDS_MAX
    crew = [stack.enter_context(worker(conninfo, f"w{n}")) for n in range(WORKERS)]
    while figures(watching)[1] > 0:
        assert monotonic_s() < deadline, f"the run does not end: {figures(watching)}, {struck}, {jobs(watching)}"
        time.sleep(dice.uniform(0.02, 0.1))
        bills = figures(watching)[0]
        if len(struck) == len(FAULTS) or bills == seen:
            continue
        seen, kind, place = bills, FAULTS[len(struck)], dice.randrange(WORKERS)
        struck.append(kind)
        if kind == "killed":
            crew[place].send_signal(signal.SIGKILL)
            crew[place] = stack.enter_context(worker(conninfo, f"w{place}"))
        elif kind == "frozen":
            crew[place].send_signal(signal.SIGSTOP)
            time.sleep(LEASE.total_seconds() + 0.5)  # others take its work over, and it wakes with a stale epoch
            crew[place].send_signal(signal.SIGCONT)
        else:
            down_at_once(server, watching, stack)
    return struck
