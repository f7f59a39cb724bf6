"""Messages out are posted once with their unit; messages in are heard once."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from cloud.kit import outbox
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.jobs import JobRow
from cloud.kit.outbox import DELIVER, Message, OutboxRow
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
