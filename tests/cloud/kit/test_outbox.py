"""Messages out are posted once with their unit; messages in are heard once."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from cloud.kit import jobqueue, outbox
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import BusyError
from cloud.kit.jobs import Job, JobRow
from cloud.kit.outbox import DELIVER, Message, OutboxRow
from cloud.kit.runner import JobContext
from cloud.kit.tables import JsonObject
from common.errors import RefusalError
from common.ids import TenantId

GREETING = Message(channel="inbox", key="bill:1:issued", payload={"bill": "1"})


async def test_a_message_is_posted_once_with_one_job_to_deliver_it(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    for _ in range(2):
        async with database.unit(tenant, actor) as unit:
            await outbox.post(unit, GREETING)
            await outbox.post(unit, GREETING)
    async with database.view(tenant) as session:
        (message,) = await session.scalars(select(OutboxRow))
        (job,) = await session.scalars(select(JobRow))
    assert (message.channel, message.payload, message.delivered_at) == ("inbox", {"bill": "1"}, None)
    assert (job.kind, job.payload) == (DELIVER, {"message_id": str(message.message_id)})


async def test_a_message_of_a_unit_that_fails_was_never_posted(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async def post_and_fail() -> None:
        async with database.unit(tenant, actor) as unit:
            await outbox.post(unit, GREETING)
            raise RefusalError("no")

    with pytest.raises(RefusalError):
        await post_and_fail()
    async with database.view(tenant) as session:
        assert list(await session.scalars(select(OutboxRow))) == []


async def test_the_first_receipt_of_a_delivery_stays(database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        await outbox.post(unit, GREETING)
        (message,) = await unit.session.scalars(select(OutboxRow))
        await outbox.mark_delivered(unit, message.message_id, "first")
        await outbox.mark_delivered(unit, message.message_id, "second")
    async with database.view(tenant) as session:
        (message,) = await session.scalars(select(OutboxRow))
    assert (message.receipt, message.delivered_at) == ("first", unit.now)


async def test_a_message_in_is_heard_once_for_each_source_and_company(
    database: Database, tenant: TenantId, other_tenant: TenantId, actor: Actor
) -> None:
    heard = []
    for company, source in ((tenant, "a"), (tenant, "a"), (tenant, "b"), (other_tenant, "a")):
        async with database.unit(company, actor) as unit:
            heard.append(await outbox.hear(unit, source, str(UUID(int=1))))
    assert heard == [True, False, True, True]


class Postbox:
    """A channel that fails as often as told, and remembers what it was given."""

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.given: list[tuple[UUID, JsonObject]] = []

    async def send(self, message_id: UUID, payload: JsonObject) -> str:
        self.given.append((message_id, payload))
        if len(self.given) <= self._failures:
            raise BusyError("the channel is busy")
        return f"receipt {len(self.given)}"


async def due_jobs(database: Database) -> list[Job]:
    async with database.directory() as connection:
        return await jobqueue.claim(connection, worker="w", now=database.clock.now(), wanted=9, kinds=(DELIVER,))


async def test_a_message_reaches_its_channel_and_a_failed_delivery_is_tried_again_under_the_same_id(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await outbox.post(unit, GREETING)
    postbox = Postbox(failures=1)
    deliver = outbox.deliver_by({"inbox": postbox})
    (job,) = await due_jobs(worker_database)
    context = JobContext(worker_database, job, actor)
    with pytest.raises(BusyError):
        await deliver(context)
    await deliver(context)
    assert context.finished
    assert len({message_id for message_id, _ in postbox.given}) == 1
    async with database.view(tenant) as session:
        (message,) = await session.scalars(select(OutboxRow))
    assert message.receipt == "receipt 2"


async def test_a_message_to_a_channel_without_a_sender_waits(
    database: Database, worker_database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await outbox.post(unit, GREETING)
    (job,) = await due_jobs(worker_database)
    with pytest.raises(RefusalError, match="no sender"):
        await outbox.deliver_by({})(JobContext(worker_database, job, actor))
    async with database.view(tenant) as session:
        (message,) = await session.scalars(select(OutboxRow))
    assert message.delivered_at is None
