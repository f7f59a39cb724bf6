"""What the billing benches stand on: a filled database, its figures with their limits, processes that start in step."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from cloud.billing import tasks
from cloud.billing.events import PricesCorrected, RunRequested
from cloud.kit.db import Database
from cloud.kit.events import Routes, router
from cloud.kit.postgres import SUPERUSER, EmbeddedPostgres
from common.ids import LegalEntityId, TenantId, TimeOrderedIds
from tests.bench.billing_town import NOW, Community
from tests.support.clock import SettableClock

DATABASE = "bench"
ROUTES: Routes = {RunRequested: (tasks.bill_run_job,), PricesCorrected: (tasks.price_correction_job,)}
_PARENT, _OWN_TIME, _OF_ENDED = 1, slice(11, 13), slice(13, 15)
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure with its unit, and the limit it has to keep if it has one."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def passed(self) -> bool:
        """Return whether the limit is kept."""
        below = self.most is None or self.value <= self.most
        return below and (self.least is None or self.value >= self.least)

    @property
    def limit(self) -> str:
        """Return the limit and whether it is kept, as printed behind the figure."""
        if self.most is None and self.least is None:
            return ""
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        return f"  ({bound}: {'pass' if self.passed else 'FAIL'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A filled database, its company and its communities."""

    server: EmbeddedPostgres
    tenant: TenantId
    entity: LegalEntityId
    communities: Sequence[Community]

    def superuser(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """Connect past row security."""
        return psycopg.connect(self.server.conninfo(role=SUPERUSER, database=DATABASE), autocommit=autocommit)


def server_cpu_s(town: Town) -> float:
    """Return the processor seconds that the server has taken since its start, those of ended sessions too."""
    with town.superuser() as connection:
        postmaster = _stat(connection.info.backend_pid)[_PARENT]
    while True:
        own = _stat(int(postmaster))[_OWN_TIME.start : _OF_ENDED.stop]
        living = _ticks_of_children(postmaster)
        if _stat(int(postmaster))[_OF_ENDED] == own[-2:]:  # else a session ended between the two looks
            return (sum(int(ticks) for ticks in own) + living) / os.sysconf("SC_CLK_TCK")


def _ticks_of_children(parent: str) -> int:
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = _stat(int(process.name))
            found += sum(int(ticks) for ticks in stat[_OWN_TIME]) if stat[_PARENT] == parent else 0
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields of a process behind its name; see proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def connect(server: EmbeddedPostgres, role: str, after: timedelta = timedelta()) -> Database:
    """Return the database of the bench as a role, some time after its beginning; what is approved becomes jobs."""
    clock = SettableClock(NOW + after)
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    conninfo = server.conninfo(role=role, database=DATABASE)
    return Database(conninfo, clock=clock, ids=ids, route=router(ROUTES))


def in_step(commands: Sequence[Sequence[str]]) -> tuple[float, list[list[str]]]:
    """Start programs that say `ready`, let them all go on at once, and return the seconds and what each answers."""
    processes = [
        subprocess.Popen(  # noqa: S603 - our own programs
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        for command in commands
    ]
    for process in processes:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError(f"a process of the bench did not start: {process.args!r}")
    start = perf_counter()
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("\n")
            process.stdin.flush()
    answers = [process.stdout.readline().split() if process.stdout else [] for process in processes]
    seconds = perf_counter() - start
    for process in processes:
        process.communicate()
    return seconds, answers
