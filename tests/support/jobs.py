"""Jobs that fail, hurried through all their attempts."""

from __future__ import annotations

from sqlalchemy import text

from cloud.kit.actor import SYSTEM_ID, Actor
from cloud.kit.db import Database
from cloud.kit.jobs import ATTEMPTS_MAX
from cloud.kit.runner import JobContext, Runner
from common.errors import InvariantError
from common.ids import TenantId

HURRIER = Actor(kind="worker", id=SYSTEM_ID, name="hurrier")


async def break_down(context: JobContext) -> None:
    """Fail at whatever is to be done."""
    raise InvariantError(f"no room for {context.job.kind}")


async def use_attempts_up(database: Database, tenant: TenantId, worker: Runner) -> None:
    """Let a worker try what is due as often as it does before a person has to look, without the waits between."""
    for _ in range(ATTEMPTS_MAX):
        await worker.drain()
        async with database.unit(tenant, HURRIER) as unit:
            await unit.session.execute(text("update job set retry_at = null"))
            unit.record("hurried", "job", SYSTEM_ID)
