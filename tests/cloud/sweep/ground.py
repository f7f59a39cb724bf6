"""Where a use case is swept: a copy of a prepared database, the two roles over it, a worker with all jobs, and a fate.

A fate strikes at the n-th commit of whoever works there: the machine dies before it, or after it (the answer is
lost); or the database refuses every second commit up to the n-th. What is copied is never touched: all trials begin
alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path

import httpx
import psycopg
from prometheus_client import CollectorRegistry
from typing_extensions import override

from cloud import flow
from cloud.identity.credentials import Passwords
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.errors import BusyError
from cloud.kit.events import router
from cloud.kit.postgres import SUPERUSER
from cloud.kit.roles import APP, WORKER
from cloud.kit.runner import JobMetrics, Pace, Runner
from cloud.kit.secretbox import SecretBox
from cloud.services import Outside, build_services
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.payments.counter import CHANNEL_URLS, PUBLIC_URL
from tests.support import api
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer

_COPIES = count(1)
_GENERATION_BITS = 40
_RETRY_NOW = "update job set retry_at = null, lease_until = null, state = 'ready' where state in ('ready', 'leased')"
_UNDONE = "select kind, last_error from job where state <> 'done'"
_DUE = f"{_UNDONE} and state <> 'dead' and run_at <= %s"


class Fault(StrEnum):
    """What happens: at the struck commit, or to every second one up to it."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    REFUSED = "refused"


class PowerCutError(BaseException):
    """The machine is gone: no handler of ours runs."""


@dataclass(slots=True)
class Fate:
    """At which commit, counted from one, what happens; 0 is never. `seen` counts the commits that were reached."""

    commit: int = 0
    fault: Fault = Fault.DIES_BEFORE
    seen: int = 0


class DoomedDatabase(Database):
    """A database whose every unit passes a fate."""

    fate: Fate

    @asynccontextmanager
    @override
    async def unit(self, tenant: TenantId, actor: Actor) -> AsyncIterator[Unit]:
        async with super().unit(tenant, actor) as unit:
            yield unit
            self.fate.seen += 1
            struck = self.fate.seen == self.fate.commit
            if struck and self.fate.fault is Fault.DIES_BEFORE:
                raise PowerCutError
            if self.fate.fault is Fault.REFUSED and self.fate.seen <= self.fate.commit and self.fate.seen % 2:
                raise BusyError("the database refused this commit; nothing was changed")
        if struck and self.fate.fault is Fault.DIES_AFTER:
            raise PowerCutError


@dataclass(slots=True, kw_only=True)
class Ground:
    """A database to work in, as the application and as the worker."""

    database: DoomedDatabase
    worker: DoomedDatabase
    runner: Runner
    clock: SettableClock
    superuser: str

    async def work(self) -> None:
        """Let the worker run everything that is due."""
        await self.runner.drain()

    def work_is_due(self) -> None:
        """Let leases and pauses after a failure be over: machine time passes."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(_RETRY_NOW)

    def due(self) -> list[tuple[str, str]]:
        """Return the jobs that should have been done by now."""
        with psycopg.connect(self.superuser) as connection:
            return [(kind, error or "") for kind, error in connection.execute(_DUE, [self.clock.now()])]

    def undone(self) -> list[tuple[str, str]]:
        """Return the jobs that are not done."""
        with psycopg.connect(self.superuser) as connection:
            return [(kind, error or "") for kind, error in connection.execute(_UNDONE)]


@asynccontextmanager
async def open_ground(
    server: TestServer, folder: Path, template: tuple[str, int], now: datetime, fate: Fate
) -> AsyncIterator[tuple[str, Ground]]:
    """Open a ground on a fresh copy of a database; the copy stays when the ground closes.

    The template comes with its generation: each generation makes ids of its own, in ascending order.
    """
    name, (copied, generation) = f"sweep_{next(_COPIES)}", template
    server.server.create_database(name, template=copied)
    clock = SettableClock(now)
    numbers = count(generation << _GENERATION_BITS)
    ids = TimeOrderedIds(clock.now, lambda length: next(numbers).to_bytes(length))
    app, worker = (
        DoomedDatabase(
            server.server.conninfo(role=role, database=name), clock=clock, ids=ids, route=router(flow.ROUTES)
        )
        for role in (APP, WORKER)
    )
    app.fate = worker.fate = fate
    async with httpx.AsyncClient() as http:
        services = build_services(
            Outside(
                database=worker,
                registry=CollectorRegistry(),
                http=http,
                secret_box=SecretBox(bytes(range(32))),
                passwords=Passwords(api.CHEAP),
                signing_key_file=folder / "signing.key",
                public_url=PUBLIC_URL,
                secure_cookies=False,
                channel_urls=CHANNEL_URLS,
            )
        )
        runner = Runner(
            database=worker,
            handlers=flow.handlers(services),
            metrics=JobMetrics(CollectorRegistry()),
            name="worker",
            pace=Pace(lease=timedelta(seconds=30)),
        )
        superuser = server.server.conninfo(role=SUPERUSER, database=name)
        try:
            yield name, Ground(database=app, worker=worker, runner=runner, clock=clock, superuser=superuser)
        finally:
            for database in (app, worker):
                await database.close()
