"""Workers that are killed and frozen in the middle of their jobs lose nothing and double nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from cloud.kit.actor import Actor
from cloud.kit.clock import monotonic_s
from cloud.kit.db import Database
from cloud.kit.jobs import NewJob
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import WORKER
from common.ids import TenantId
from tests.support.job_worker import KIND
from tests.support.postgres import TestServer
from tests.support.randomness import seeded

JOBS = 500
WORKERS = 2
FAULTS = 8
SECONDS_MAX = 90

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
Process = subprocess.Popen[str]


@contextmanager
def worker(conninfo: str, name: str) -> Iterator[Process]:
    command = [sys.executable, "-m", "tests.support.job_worker", conninfo, name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "working\n"
        yield process
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()


def figures(conninfo: str) -> tuple[int, int, int]:
    """Jobs done, jobs not done, rows that the jobs made."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "select count(*) filter (where state = 'done'), count(*) filter (where state <> 'done'),"
            " (select count(*) from legal_entity where kind = 'merchant') from job"
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


async def test_killed_and_frozen_workers_lose_nothing_and_double_nothing(
    server: TestServer, database_name: str, database: Database, tenant: TenantId, actor: Actor
) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    async with database.unit(tenant, actor) as unit:
        for n in range(JOBS):
            unit.enqueue(NewJob(kind=KIND, key=f"{n:04}", run_at=past))
    conninfo = server.server.conninfo(role=WORKER, database=database_name)
    watching = server.server.conninfo(role=SUPERUSER, database=database_name)
    faults = abuse_workers(conninfo, watching)
    assert faults["killed"] >= 3
    assert faults["frozen"] >= 3
    assert figures(watching) == (JOBS, 0, JOBS)


def abuse_workers(conninfo: str, watching: str) -> dict[str, int]:
    """Kill and freeze workers at random moments until every job is done; return how often."""
    dice = seeded(20261123)
    faults = {"killed": 0, "frozen": 0}
    deadline = monotonic_s() + SECONDS_MAX
    with ExitStack() as stack:
        crew = [stack.enter_context(worker(conninfo, f"w{n}")) for n in range(WORKERS)]
        while figures(watching)[1] > 0:
            assert monotonic_s() < deadline, f"the work does not end: {figures(watching)}"
            place = dice.randrange(WORKERS)
            time.sleep(dice.uniform(0.05, 0.3))
            if sum(faults.values()) >= FAULTS:
                continue
            if faults["killed"] <= faults["frozen"]:
                faults["killed"] += 1
                crew[place].send_signal(signal.SIGKILL)
                crew[place] = stack.enter_context(worker(conninfo, f"w{place}"))
            else:
                faults["frozen"] += 1
                crew[place].send_signal(signal.SIGSTOP)
                time.sleep(1.5)  # longer than the lease: others take its jobs over, and it wakes with a stale epoch
                crew[place].send_signal(signal.SIGCONT)
    return faults
