"""A power cut at each commit of a run and of a correction, before it and after it: tried again, all laws hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from sqlalchemy import text
from typing_extensions import override

from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.events import no_listeners
from cloud.kit.roles import APP, WORKER
from cloud.ledger import auditing
from common.ids import TenantId, TimeOrderedIds
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.support.clock import SettableClock
from tests.support.postgres import TestServer

COMMITS_OF_THE_STORY = 1 + 5 + 2


class PowerCutError(Exception):
    """The machine went dark."""


@dataclass(slots=True)
class Fuse:
    """Blows at the n-th commit: before it, or once it is done and not yet answered."""

    commits_left: int
    after: bool
    blown: bool = False


class FusedDatabase(Database):
    """A database whose every unit passes through a fuse."""

    fuse: Fuse

    @override
    @asynccontextmanager
    async def unit(self, tenant: TenantId, actor: Actor) -> AsyncIterator[Unit]:
        self.fuse.commits_left -= 1
        dark = self.fuse.commits_left == 0
        self.fuse.blown |= dark
        async with super().unit(tenant, actor) as unit:
            yield unit
            if dark and not self.fuse.after:
                raise PowerCutError
        if dark:
            raise PowerCutError


Fused = tuple[FusedDatabase, FusedDatabase]


@pytest_asyncio.fixture
async def fused(
    server: TestServer, database_name: str, clock: SettableClock, ids: TimeOrderedIds
) -> AsyncIterator[Fused]:
    app, worker = (
        FusedDatabase(
            server.server.conninfo(role=role, database=database_name), clock=clock, ids=ids, route=no_listeners
        )
        for role in (APP, WORKER)
    )
    yield app, worker
    await app.close()
    await worker.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", range(1, COMMITS_OF_THE_STORY + 2))
async def test_a_power_cut_at_any_commit_neither_loses_nor_doubles(
    office: Office, fused: Fused, commit: int, *, after: bool
) -> None:
    fuse = Fuse(commits_left=commit, after=after)
    for database in fused:
        database.fuse = fuse
    sound = office.site
    office.chunk_accounts = 1
    for flat in sound.flats:
        office.set(flat, b.ELECTRICITY, 0, 1000)
    office.site = replace(sound, database=fused[0], worker_database=fused[1])
    try:
        await told_with_a_mended_reading(office)
    except PowerCutError:
        office.site = sound
        office.set(sound.flats[0], b.ELECTRICITY, 0, 1000)
        await told_with_a_mended_reading(office)
    assert fuse.blown == (commit <= COMMITS_OF_THE_STORY)
    await laws_hold(sound, office)


async def told_with_a_mended_reading(office: Office) -> None:
    scope = await office.period(0)
    await office.run(scope)
    office.set(office.site.flats[0], b.ELECTRICITY, 0, 600)
    await office.correct(office.site.flats, 0)


async def laws_hold(site: b.Site, office: Office) -> None:
    async with site.database.view(site.tenant) as session:
        assert (await auditing.audit(session, site.community_id)).breaches == ()
        found = await session.execute(
            text("select kind, count(*), sum(total_fen)::bigint from bill group by kind order by kind")
        )
        assert [tuple(row) for row in found] == [("adjustment", 1, -400), ("regular", 4, 4000)]
        numbers = await session.scalars(text("select number from bill order by number"))
        assert list(numbers) == ["GARDEN-A2026-000001", *(f"GARDEN-B2026-{n:06d}" for n in range(1, 5))]
    office.site = site
    assert [sum(await office.open_fen(flat)) for flat in site.flats] == [600, 1000, 1000, 1000]
